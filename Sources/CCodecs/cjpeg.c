#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

struct watch {
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf end;
    char *message;
    size_t size;
};

static void keep(j_common_ptr decoder) {
    struct watch *watch = (struct watch *)decoder->err;
    char text[JMSG_LENGTH_MAX];
    watch->manager.format_message(decoder, text);
    snprintf(watch->message, watch->size, "%s", text);
}

static void fail(j_common_ptr decoder) {
    keep(decoder);
    longjmp(((struct watch *)decoder->err)->end, 1);
}

static void meet(j_common_ptr decoder, int level) {
    if (level >= 0) return;
    switch (decoder->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
        if (decoder->err->num_warnings++ == 0) keep(decoder);
        break;
    default:
        fail(decoder);
    }
}

static void print_nothing(j_common_ptr decoder) { (void)decoder; }

// A few bytes of each scan can cost the time of a whole picture.
static void limit_scans(j_common_ptr decoder) {
    if (decoder->is_decompressor && ((j_decompress_ptr)decoder)->input_scan_number > 500) {
        struct watch *watch = (struct watch *)decoder->err;
        snprintf(watch->message, watch->size, "it has more than 500 scans");
        longjmp(watch->end, 1);
    }
}

int cjpeg_is_whole(const uint8_t *bytes, size_t count, char *message, size_t size) {
    struct jpeg_decompress_struct decoder;
    struct watch watch;
    memset(&decoder, 0, sizeof decoder);
    message[0] = 0;
    watch.message = message;
    watch.size = size;
    decoder.err = jpeg_std_error(&watch.manager);
    watch.manager.error_exit = fail;
    watch.manager.emit_message = meet;
    watch.manager.output_message = print_nothing;
    if (setjmp(watch.end)) {
        jpeg_destroy_decompress(&decoder);
        return 0;
    }
    jpeg_create_decompress(&decoder);
    watch.progress.progress_monitor = limit_scans;
    decoder.progress = &watch.progress;
    jpeg_mem_src(&decoder, (unsigned char *)bytes, (unsigned long)count);
    jpeg_read_header(&decoder, TRUE);
    // An eighth of the size spares most of the work, though every code is read.
    decoder.scale_num = 1;
    decoder.scale_denom = 8;
    jpeg_start_decompress(&decoder);
    JSAMPARRAY row = (*decoder.mem->alloc_sarray)((j_common_ptr)&decoder, JPOOL_IMAGE,
                                                  decoder.output_width * (JDIMENSION)decoder.output_components, 1);
    while (decoder.output_scanline < decoder.output_height) jpeg_read_scanlines(&decoder, row, 1);
    jpeg_finish_decompress(&decoder);
    jpeg_destroy_decompress(&decoder);
    return 1;
}
