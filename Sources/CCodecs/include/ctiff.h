#pragma once

#include <stddef.h>
#include <stdint.h>

/// A page of a TIFF that is open for reading, the first to begin with, by libtiff. It prints nothing: errors are kept
/// for `ctiff_message`. One handle is for one thread at a time.
typedef struct ctiff ctiff;

/// How a page holds its pixels, by the tags of the TIFF specification.
typedef struct {
    uint32_t width, height;
    uint16_t bits, samples, photometric, planar, compression, format, orientation;
    /// Size of a tile; 0 by 0 where the page is made of strips, and then the rows of a strip.
    uint32_t tile_width, tile_height, strip_rows;
    /// Bytes of a decoded row and of a decoded tile or strip.
    uint64_t row_bytes, chunk_bytes;
    /// Whether there are pages behind this one.
    int has_more_pages;
    /// Whether the last sample of a pixel is its transparency.
    int has_alpha;
    /// Whether the page is a smaller copy of another one, or a mask of its transparency.
    int is_secondary;
} ctiff_header;

/// Opens a file in memory, which must outlive the handle, or one on the disk where `bytes` is null; the library asks
/// for no more than `allocation` bytes at a time. The handle is null where there is no memory; `ctiff_read_header`
/// tells whether the file is a TIFF.
ctiff *ctiff_open(const uint8_t *bytes, size_t count, const char *path, uint64_t allocation);

/// Closes a handle.
void ctiff_close(ctiff *file);

/// 1 where the header is read, else 0.
int ctiff_read_header(ctiff *file, ctiff_header *header);

/// Goes to a page, counted from 0: 1, or 0 where there is none or it cannot be read.
int ctiff_set_page(ctiff *file, uint32_t page);

/// Decodes a row of a page in strips, all of its samples beside each other: 1, or 0 where it cannot be.
int ctiff_read_row(ctiff *file, uint32_t row, void *target);

/// Decodes the tile or strip that holds a column and a row of one sample (0 where samples lie beside each other): the
/// number of its bytes, or -1.
int64_t ctiff_read_chunk(ctiff *file, uint32_t column, uint32_t row, uint16_t sample, void *target, uint64_t size);

/// Red, green and blue of `1 << bits` colours, 8 bits each: 1, or 0 where there is no palette.
int ctiff_read_palette(ctiff *file, uint16_t bits, uint8_t *target);

/// Decodes a page of any kind of colour to `width * height` pixels of red, green, blue and alpha, rows as stored: 1, or
/// 0 where it cannot be.
int ctiff_read_rgba(ctiff *file, uint32_t *target);

/// What went wrong first; empty where nothing did, or where the library is too old to tell.
const char *ctiff_message(const ctiff *file);

/// Whether the library filled in pixels that the file lacks.
int ctiff_lost_pixels(const ctiff *file);
