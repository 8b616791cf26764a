// A stand-in: sleep is a pause.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

inline uint64_t &sleepFor() {
  static uint64_t us;
  return us;
}
inline int esp_sleep_enable_timer_wakeup(uint64_t us) {
  sleepFor() = us;
  return 0;
}
inline int esp_light_sleep_start() {
  puts("asleep");
  usleep((useconds_t)sleepFor());
  return 0;
}
