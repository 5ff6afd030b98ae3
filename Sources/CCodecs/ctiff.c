#include "ctiff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

struct ctiff {
    TIFF *tiff;
    const uint8_t *bytes;
    int descriptor;
    uint64_t count, position;
    char message[240];
    int lost_pixels;
};

static tmsize_t read_bytes(thandle_t handle, void *target, tmsize_t size) {
    ctiff *file = handle;
    if (size <= 0 || file->position >= file->count) return 0;
    uint64_t length = file->count - file->position;
    if ((uint64_t)size < length) length = (uint64_t)size;
    if (file->bytes) {
        memcpy(target, file->bytes + file->position, length);
    } else {
        uint64_t done = 0;
        while (done < length) {
            ssize_t got = pread(file->descriptor, (char *)target + done, length - done, (off_t)(file->position + done));
            if (got <= 0) break;
            done += (uint64_t)got;
        }
        length = done;
    }
    file->position += length;
    return (tmsize_t)length;
}

static tmsize_t write_nothing(thandle_t handle, void *source, tmsize_t size) {
    (void)handle, (void)source, (void)size;
    return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    ctiff *file = handle;
    if (whence == SEEK_CUR) offset += file->position;
    if (whence == SEEK_END) offset += file->count;
    file->position = offset;
    return offset;
}

static int close_nothing(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t size(thandle_t handle) { return ((ctiff *)handle)->count; }

static int map(thandle_t handle, void **base, toff_t *length) {
    ctiff *file = handle;
    if (!file->bytes) return 0;
    *base = (void *)(uintptr_t)file->bytes;
    *length = file->count;
    return 1;
}

static void unmap(thandle_t handle, void *base, toff_t length) { (void)handle, (void)base, (void)length; }

#if TIFFLIB_VERSION >= 20221213
static int keep_error(TIFF *tiff, void *user, const char *module, const char *format, va_list values) {
    (void)tiff, (void)module;
    ctiff *file = user;
    if (!file->message[0]) vsnprintf(file->message, sizeof file->message, format, values);
    return 1;
}

static int keep_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list values) {
    (void)tiff, (void)module;
    char text[240];
    vsnprintf(text, sizeof text, format, values);
    // libjpeg fills in the rest of a picture, and indices without their palette are taken for greys.
    if (strstr(text, "Premature end") || strstr(text, "ColorMap")) ((ctiff *)user)->lost_pixels = 1;
    return 1;
}
#endif

ctiff *ctiff_open(const uint8_t *bytes, size_t count, const char *path, uint64_t allocation) {
    ctiff *file = calloc(1, sizeof *file);
    if (!file) return NULL;
    file->bytes = bytes;
    file->count = count;
    file->descriptor = -1;
    if (!bytes) {
        struct stat information;
        do file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
        while (file->descriptor < 0 && errno == EINTR);
        if (file->descriptor < 0 || fstat(file->descriptor, &information) != 0) return file;
        file->count = (uint64_t)information.st_size;
    }
#if TIFFLIB_VERSION >= 20221213
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return file;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)allocation);
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, file);
    TIFFOpenOptionsSetWarningHandlerExtR(options, keep_warning, file);
    file->tiff =
        TIFFClientOpenExt("", "r", file, read_bytes, write_nothing, seek, close_nothing, size, map, unmap, options);
    TIFFOpenOptionsFree(options);
#else
    (void)allocation;
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    file->tiff = TIFFClientOpen("", "r", file, read_bytes, write_nothing, seek, close_nothing, size, map, unmap);
#endif
    return file;
}

void ctiff_close(ctiff *file) {
    if (file->tiff) TIFFClose(file->tiff);
    if (file->descriptor >= 0) close(file->descriptor);
    free(file);
}

int ctiff_read_header(ctiff *file, ctiff_header *header) {
    TIFF *tiff = file->tiff;
    memset(header, 0, sizeof *header);
    if (!tiff || !TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &header->width) ||
        !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &header->height))
        return 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &header->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &header->samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &header->planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &header->compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &header->format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &header->orientation);
    if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &header->photometric))
        header->photometric = header->samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    header->row_bytes = TIFFScanlineSize64(tiff);
    if (TIFFIsTiled(tiff)) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &header->tile_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &header->tile_height);
        if (header->tile_width == 0 || header->tile_height == 0) return 0;
        header->chunk_bytes = TIFFTileSize64(tiff);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &header->strip_rows);
        if (header->strip_rows == 0) return 0;
        if (header->strip_rows > header->height) header->strip_rows = header->height;
        header->chunk_bytes = TIFFStripSize64(tiff);
    }
    header->has_more_pages = !TIFFLastDirectory(tiff);
    uint16_t extra_count = 0, *extras = NULL;
    if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &extra_count, &extras) && extra_count > 0 && extras)
        header->has_alpha =
            extras[extra_count - 1] == EXTRASAMPLE_ASSOCALPHA || extras[extra_count - 1] == EXTRASAMPLE_UNASSALPHA;
    uint32_t subfile = 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &subfile);
    header->is_secondary = (subfile & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0;
    return 1;
}

int ctiff_set_page(ctiff *file, uint32_t page) {
    // Of type tdir_t, which had 16 bits once.
    return page < 65535 && file->tiff && TIFFSetDirectory(file->tiff, (tdir_t)page) == 1;
}

int ctiff_read_row(ctiff *file, uint32_t row, void *target) {
    return TIFFReadScanline(file->tiff, target, row, 0) == 1;
}

int64_t ctiff_read_chunk(ctiff *file, uint32_t column, uint32_t row, uint16_t sample, void *target, uint64_t size) {
    TIFF *tiff = file->tiff;
    if (TIFFIsTiled(tiff))
        return TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, column, row, 0, sample), target, (tmsize_t)size);
    return TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, row, sample), target, (tmsize_t)size);
}

int ctiff_read_palette(ctiff *file, uint16_t bits, uint8_t *target) {
    uint16_t *channels[3];
    if (!TIFFGetField(file->tiff, TIFFTAG_COLORMAP, &channels[0], &channels[1], &channels[2])) return 0;
    // Colours have 16 bits, but some programs write 8.
    int shift = 0;
    for (int channel = 0; channel < 3; channel++)
        for (int index = 0; index < 1 << bits; index++)
            if (channels[channel][index] > 255) shift = 8;
    for (int channel = 0; channel < 3; channel++)
        for (int index = 0; index < 1 << bits; index++)
            target[index * 3 + channel] = (uint8_t)(channels[channel][index] >> shift);
    return 1;
}

int ctiff_read_rgba(ctiff *file, uint32_t *target) {
    TIFFRGBAImage image;
    char message[1024] = "";
    int done = 0;
    if (TIFFRGBAImageOK(file->tiff, message) && TIFFRGBAImageBegin(&image, file->tiff, 1, message)) {
        // Turned nowhere: rows as stored.
        image.req_orientation = image.orientation;
        done = TIFFRGBAImageGet(&image, target, image.width, image.height);
        TIFFRGBAImageEnd(&image);
    }
    if (!done && !file->message[0]) snprintf(file->message, sizeof file->message, "%.200s", message);
    return done;
}

const char *ctiff_message(const ctiff *file) { return file->message; }

int ctiff_lost_pixels(const ctiff *file) { return file->lost_pixels; }
