#pragma once

// What a test must know of the sanitizer that it runs under. gcc tells by a macro, clang by a
// feature.

#if defined(__has_feature)
#define SCALEKIT_TEST_HAS_FEATURE(name) __has_feature(name)
#else
#define SCALEKIT_TEST_HAS_FEATURE(name) 0
#endif

namespace support {

#if defined(__SANITIZE_THREAD__) || SCALEKIT_TEST_HAS_FEATURE(thread_sanitizer)
#define SCALEKIT_TEST_THREAD_SANITIZER 1
inline constexpr bool under_thread_sanitizer = true;
#else
inline constexpr bool under_thread_sanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || SCALEKIT_TEST_HAS_FEATURE(address_sanitizer)
inline constexpr bool under_address_sanitizer = true;
#else
inline constexpr bool under_address_sanitizer = false;
#endif

inline constexpr bool under_sanitizer = under_thread_sanitizer || under_address_sanitizer;

/// How often to repeat what a sanitizer makes some twenty times slower: a tenth of `n` there.
template <class Integer>
constexpr Integer fewer_under_sanitizer(Integer n) {
  return under_sanitizer ? n / 10 : n;
}

}  // namespace support

#undef SCALEKIT_TEST_HAS_FEATURE
