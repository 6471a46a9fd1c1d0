#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "sanitizer.hpp"

#include <doctest/doctest.h>

#ifdef SCALEKIT_TEST_THREAD_SANITIZER

#include <dlfcn.h>

// libstdc++ is not instrumented: ThreadSanitizer does not see the atomics with which it counts the
// references to an exception, and takes what the last of them does for a race with those before.
// Nor does it see the frames of libstdc++. So that reports of this can be told from others, the two
// functions that let go of a reference are called by way of these here, which leave a frame.
namespace {

template <class... Arguments>
[[gnu::noinline]] void call_next(const char* name, Arguments... arguments) {
  reinterpret_cast<void (*)(Arguments...)>(::dlsym(RTLD_NEXT, name))(arguments...);
}

}  // namespace

extern "C" void __cxa_end_catch();
extern "C" void __cxa_end_catch() {
  call_next("__cxa_end_catch");
}

extern "C" void _ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(void* self);
extern "C" void _ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(void* self) {
  call_next("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv", self);
}

extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  // The last is what the last reference to a std::runtime_error does there.
  return "race:__cxa_end_catch\n"
         "race:std::__exception_ptr::exception_ptr::_M_release\n"
         "race:std::runtime_error::~runtime_error\n";
}

#endif
