/*
 * PipeWire's and SPA's headers. Their inline functions don't pass our warnings, so they count as
 * system headers here, and so does all that they include.
 */
#pragma once
#pragma GCC system_header

#include <pipewire/impl.h>
#include <pipewire/pipewire.h>
#include <spa/buffer/buffer.h>
#include <spa/buffer/meta.h>
#include <spa/debug/types.h>
#include <spa/param/format.h>
#include <spa/param/param.h>
#include <spa/param/type-info.h>
#include <spa/param/video/format-utils.h>
#include <spa/param/video/type-info.h>
#include <spa/pod/builder.h>
#include <spa/pod/iter.h>
