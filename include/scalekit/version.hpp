#pragma once

/// The version of these headers; CMake reads it from here. Semantic versioning: before 1.0, the
/// minor number changes when the API or the ABI does.
#define SCALEKIT_VERSION_MAJOR 0
#define SCALEKIT_VERSION_MINOR 1
#define SCALEKIT_VERSION_PATCH 0
