// What CUDA's own header of this name, which the wheels for running lack, defines for a C compiler.
#pragma once
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __align__(n)
#define __device_builtin__
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define __cudart_builtin__
#define __location__(a)
#define __host__
#define __device__
#define __specialization_static static
#define CUDARTAPI
#define CUDARTAPI_CDECL
