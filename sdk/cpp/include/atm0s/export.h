// What the shared library exports: nothing but the API of these headers. For their declarations alone.
#pragma once

// What is exported; nothing with ATM0S_STATIC, which a program that is linked with libatm0s.a may define.
#if defined(ATM0S_STATIC)
#define ATM0S_API
#else
#define ATM0S_API __attribute__((visibility("default")))
#endif
// Of the library's own: stays inside.
#define ATM0S_LOCAL __attribute__((visibility("hidden")))
