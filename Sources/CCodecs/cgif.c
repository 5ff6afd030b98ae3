#include "cgif.h"

#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

struct cgif {
    GifFileType *gif;
    const uint8_t *bytes;
    size_t count, position;
};

static int read_bytes(GifFileType *gif, GifByteType *target, int size) {
    cgif *file = gif->UserData;
    size_t length = file->count - file->position;
    if (size <= 0) return 0;
    if ((size_t)size < length) length = (size_t)size;
    memcpy(target, file->bytes + file->position, length);
    file->position += length;
    return (int)length;
}

static const char *text(int code) {
    const char *reason = GifErrorString(code);
    return reason ? reason : "the file is damaged";
}

// Passes over everything in front of the next picture: 1 where there is one.
static int find_picture(GifFileType *gif) {
    GifRecordType record;
    while (DGifGetRecordType(gif, &record) == GIF_OK) {
        if (record == IMAGE_DESC_RECORD_TYPE) return 1;
        if (record == TERMINATE_RECORD_TYPE) return 0;
        if (record != EXTENSION_RECORD_TYPE) continue;
        int code;
        GifByteType *block;
        if (DGifGetExtension(gif, &code, &block) != GIF_OK) return 0;
        while (block) {
            if (DGifGetExtensionNext(gif, &block) != GIF_OK) return 0;
        }
    }
    return 0;
}

cgif *cgif_open(const uint8_t *bytes, size_t count, cgif_header *header, const char **reason) {
    memset(header, 0, sizeof *header);
    int problem = D_GIF_ERR_NOT_ENOUGH_MEM;
    cgif *file = calloc(1, sizeof *file);
    if (file) {
        file->bytes = bytes;
        file->count = count;
        file->gif = DGifOpen(file, read_bytes, &problem);
    }
    if (!file || !file->gif) {
        *reason = text(problem);
        free(file);
        return NULL;
    }
    GifFileType *gif = file->gif;
    if (!find_picture(gif) || DGifGetImageDesc(gif) != GIF_OK) {
        *reason = gif->Error ? text(gif->Error) : "it holds no picture";
        cgif_close(file);
        return NULL;
    }
    header->canvas_width = (uint32_t)gif->SWidth, header->canvas_height = (uint32_t)gif->SHeight;
    header->left = (uint32_t)gif->Image.Left, header->top = (uint32_t)gif->Image.Top;
    header->width = (uint32_t)gif->Image.Width, header->height = (uint32_t)gif->Image.Height;
    header->background = (uint8_t)gif->SBackGroundColor;
    header->is_interlaced = gif->Image.Interlace;
    const ColorMapObject *map = gif->Image.ColorMap ? gif->Image.ColorMap : gif->SColorMap;
    for (int i = 0; map && i < map->ColorCount && i < 256; i++) {
        header->colors[3 * i] = map->Colors[i].Red;
        header->colors[3 * i + 1] = map->Colors[i].Green;
        header->colors[3 * i + 2] = map->Colors[i].Blue;
        header->color_count = (uint32_t)i + 1;
    }
    return file;
}

int cgif_read_row(cgif *file, uint8_t *target, uint32_t width) {
    return DGifGetLine(file->gif, target, (int)width) == GIF_OK;
}

int cgif_has_more(cgif *file) { return find_picture(file->gif); }

const char *cgif_reason(const cgif *file) { return text(file->gif->Error); }

void cgif_close(cgif *file) {
    int problem;
    DGifCloseFile(file->gif, &problem);
    free(file);
}
