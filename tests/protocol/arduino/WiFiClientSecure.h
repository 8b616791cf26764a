// A stand-in without TLS.
#pragma once
#include <WiFi.h>

class WiFiClientSecure : public WiFiClient {
 public:
  void setCACert(const char *) {}
};
