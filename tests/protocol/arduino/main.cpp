// The sketch as a program of this machine, set by its environment.
#include <Arduino.h>
#include <stdlib.h>

#define EYELID_SETTINGS
const char *WIFI_NAME = "", *WIFI_PASSWORD = "", *CA = nullptr;
const char *HOST = getenv("SERVER"), *UPLOAD = getenv("UPLOAD"), *TOKEN = getenv("TOKEN");
const uint16_t PORT = (uint16_t)atoi(getenv("PORT"));
const uint32_t NAP_MS = 1000;

#include "../../../docs/esp32/eyelid/eyelid.ino"

int main() {
  setup();
  for (;;) loop();
}
