// A stand-in: this machine's network.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WL_DISCONNECTED, WL_CONNECTED, WIFI_STA, WIFI_OFF };

struct {
  int state = WL_DISCONNECTED;
  int status() { return state; }
  void mode(int) {}
  void setSleep(bool) {}
  void begin(const char *, const char *) { state = WL_CONNECTED; }
  void disconnect(bool) { state = WL_DISCONNECTED; }
} WiFi;

class WiFiClient {
 public:
  virtual ~WiFiClient() { stop(); }
  int connect(const char *host, uint16_t port) {
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    addrinfo hints = {}, *found;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, service, &hints, &found)) return 0;
    line = socket(found->ai_family, SOCK_STREAM, 0);
    bool is = ::connect(line, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    if (!is) stop();
    return is;
  }
  size_t write(const uint8_t *bytes, size_t length) {
    ssize_t sent = send(line, bytes, length, MSG_NOSIGNAL);
    return sent < 0 ? 0 : (size_t)sent;
  }
  int available() {
    int waiting = 0;
    return line >= 0 && ioctl(line, FIONREAD, &waiting) == 0 ? waiting : 0;
  }
  int read() {
    uint8_t byte;
    return recv(line, &byte, 1, 0) == 1 ? byte : -1;
  }
  uint8_t connected() {
    char byte;
    ssize_t seen = recv(line, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return seen > 0 || (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
  }
  void stop() {
    if (line >= 0) close(line);
    line = -1;
  }

 private:
  int line = -1;
};
