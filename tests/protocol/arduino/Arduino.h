// Stand-ins for what the sketch of docs/esp32 uses of Arduino, so that its own code runs on this machine: the bytes that it
// sends and how it sleeps can be tested, its use of the real libraries can't.
#pragma once
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LOW, HIGH, OUTPUT };

inline uint32_t millis() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}
inline void delay(uint32_t ms) { usleep(ms * 1000); }
inline void pinMode(int, int) {}
inline void digitalWrite(int, int) {}
inline bool psramFound() { return true; }

struct {
  void begin(int) { setvbuf(stdout, nullptr, _IOLBF, 0); }
  void println(const char *line) { puts(line); }
  void printf(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
  }
  void flush() { fflush(stdout); }
} Serial;
