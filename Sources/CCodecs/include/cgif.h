#pragma once

#include <stddef.h>
#include <stdint.h>

/// A GIF that is open at the pixels of its first picture, by giflib. One handle is for one thread at a time.
typedef struct cgif cgif;

/// Where the first picture lies on the canvas, and its colours.
typedef struct {
    uint32_t canvas_width, canvas_height;
    uint32_t left, top, width, height;
    uint8_t background;
    /// Colours of the palette, red, green and blue each; 0 where there is none.
    uint32_t color_count;
    uint8_t colors[768];
    int is_interlaced;
} cgif_header;

/// Opens a file in memory, which must outlive the handle: null where it is no GIF or holds no picture; `reason` is then
/// a text of the library.
cgif *cgif_open(const uint8_t *bytes, size_t count, cgif_header *header, const char **reason);

/// Decodes the next row of palette indices, in the order of the file: 1, or 0 where it cannot be.
int cgif_read_row(cgif *file, uint8_t *target, uint32_t width);

/// Whether another picture follows, once all rows are read.
int cgif_has_more(cgif *file);

/// What went wrong last.
const char *cgif_reason(const cgif *file);

void cgif_close(cgif *file);
