#pragma once

#include <stddef.h>
#include <stdint.h>

/// Decodes a JPEG for its warnings alone, by libjpeg: 1 where all of its pixels are in the file, whatever else is wrong
/// with it, else 0; `message` is then the fault that costs pixels, else the first warning, if there was one.
int cjpeg_is_whole(const uint8_t *bytes, size_t count, char *message, size_t size);
