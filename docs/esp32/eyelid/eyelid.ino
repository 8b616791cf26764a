// An ESP32-CAM (AI Thinker) that sends its pictures to Eyelid, and sleeps while nobody watches.
//
// Board "AI Thinker ESP32-CAM" of the Arduino core for the ESP32. Fill in what follows; `eyelid token NAME` makes the token.
// docs/esp32.md tells the rest.

#include <Arduino.h>
#include <WiFi.h>
#include <WiFiClientSecure.h>
#include <esp_camera.h>
#include <esp_sleep.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifndef EYELID_SETTINGS
const char *WIFI_NAME = "…";
const char *WIFI_PASSWORD = "…";
const char *HOST = "camera.example.org";
const uint16_t PORT = 443;
const char *UPLOAD = "/cameras/gate/upload";
const char *TOKEN = "…";
// The certificate of the authority that signed the server's, as text in PEM. nullptr: without TLS, which lets everybody on
// the way read the token and the pictures; only for a server in your own network.
const char *CA = nullptr;
// A shorter rest is not worth the time that it takes to find the network again.
const uint32_t NAP_MS = 8000;
#endif

// From the head of a request to the end of its answer.
const uint32_t PATIENCE_MS = 15000;
// After a failure, and when the answer does not say when the next picture is wanted.
const uint32_t RETRY_MS = 5000;

const int FLASH_PIN = 4;
const int RED_LED_PIN = 33;  // on while low
const int CAMERA_OFF_PIN = 32;

struct Answer {
  int status = 0;
  long viewers = 0;
  long nextMs = RETRY_MS;
};

bool cameraOn = false;
// Whether somebody watched at the last answer.
bool wanted = false;

bool switchCameraOn() {
  if (cameraOn) return true;
  camera_config_t config = {};
  config.ledc_channel = LEDC_CHANNEL_0;
  config.ledc_timer = LEDC_TIMER_0;
  config.pin_d0 = 5;
  config.pin_d1 = 18;
  config.pin_d2 = 19;
  config.pin_d3 = 21;
  config.pin_d4 = 36;
  config.pin_d5 = 39;
  config.pin_d6 = 34;
  config.pin_d7 = 35;
  config.pin_xclk = 0;
  config.pin_pclk = 22;
  config.pin_vsync = 25;
  config.pin_href = 23;
  config.pin_sccb_sda = 26;
  config.pin_sccb_scl = 27;
  config.pin_pwdn = CAMERA_OFF_PIN;
  config.pin_reset = -1;
  config.xclk_freq_hz = 20000000;
  config.pixel_format = PIXFORMAT_JPEG;
  config.frame_size = psramFound() ? FRAMESIZE_SVGA : FRAMESIZE_VGA;
  config.fb_location = psramFound() ? CAMERA_FB_IN_PSRAM : CAMERA_FB_IN_DRAM;
  config.jpeg_quality = 12;  // 0 to 63, less is better
  config.fb_count = 1;
  config.grab_mode = CAMERA_GRAB_WHEN_EMPTY;
  esp_err_t error = esp_camera_init(&config);
  if (error != ESP_OK) {
    Serial.printf("the camera does not start: 0x%x\n", error);
    return false;
  }
  cameraOn = true;
  return true;
}

void switchCameraOff() {
  if (!cameraOn) return;
  esp_camera_deinit();
  cameraOn = false;
  pinMode(CAMERA_OFF_PIN, OUTPUT);
  digitalWrite(CAMERA_OFF_PIN, HIGH);
}

// A picture of now: the buffer may still hold one of before.
camera_fb_t *takePicture() {
  camera_fb_t *old = esp_camera_fb_get();
  if (old) esp_camera_fb_return(old);
  return esp_camera_fb_get();
}

bool joinNetwork() {
  if (WiFi.status() == WL_CONNECTED) return true;
  WiFi.mode(WIFI_STA);
  WiFi.setSleep(true);  // the modem naps between beacons
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  uint32_t start = millis();
  while (WiFi.status() != WL_CONNECTED) {
    if (millis() - start > PATIENCE_MS) {
      Serial.println("no network");
      WiFi.disconnect(true);
      return false;
    }
    delay(100);
  }
  return true;
}

bool sendAll(WiFiClient &client, const uint8_t *bytes, size_t length) {
  size_t sent = 0;
  uint32_t start = millis();
  while (sent < length) {
    size_t piece = length - sent < 4096 ? length - sent : 4096;
    size_t written = client.write(bytes + sent, piece);
    sent += written;
    if (written == 0) {
      if (!client.connected() || millis() - start > PATIENCE_MS) return false;
      delay(5);
    }
  }
  return true;
}

// Reads a line without its end; what does not fit is left out. False when there is none.
bool readLine(WiFiClient &client, char *line, size_t size, uint32_t start) {
  size_t length = 0;
  bool any = false;
  while (millis() - start < PATIENCE_MS) {
    if (!client.available()) {
      if (!client.connected()) break;
      delay(2);
      continue;
    }
    int byte = client.read();
    if (byte < 0) continue;
    any = true;
    if (byte == '\n') break;
    if (byte != '\r' && length + 1 < size) line[length++] = (char)byte;
  }
  line[length] = 0;
  return any;
}

bool isHeader(const char *line, const char *name, long *value) {
  size_t length = strlen(name);
  if (strncasecmp(line, name, length) != 0 || line[length] != ':') return false;
  *value = strtol(line + length + 1, nullptr, 10);
  return true;
}

Answer readAnswer(WiFiClient &client) {
  Answer answer;
  char line[200];
  uint32_t start = millis();
  if (!readLine(client, line, sizeof line, start) || strncmp(line, "HTTP/1.", 7) != 0) {
    Serial.println("no answer");
    return answer;
  }
  answer.status = atoi(line + 9);
  bool exact = false;
  while (readLine(client, line, sizeof line, start) && line[0]) {
    long value;
    if (isHeader(line, "X-Viewers", &value)) answer.viewers = value;
    if (isHeader(line, "X-Next-Ms", &value)) {
      answer.nextMs = value;
      exact = true;
    }
    if (isHeader(line, "Retry-After", &value) && !exact) answer.nextMs = value * 1000;
  }
  readLine(client, line, sizeof line, start);
  if (answer.status == 200) {
    Serial.printf("%ld watch, the next picture in %ld ms\n", answer.viewers, answer.nextMs);
  } else {
    Serial.printf("%d: %s\n", answer.status, line);
    if (answer.nextMs < (long)RETRY_MS) answer.nextMs = RETRY_MS;
  }
  return answer;
}

// Sends a picture, or asks without one whether somebody watches.
Answer upload(const camera_fb_t *picture) {
  WiFiClient plain;
  WiFiClientSecure secure;
  if (CA) secure.setCACert(CA);
  WiFiClient &client = CA ? secure : plain;
  if (!client.connect(HOST, PORT)) {
    Serial.printf("%s does not answer\n", HOST);
    return Answer();
  }
  char head[512];
  snprintf(head, sizeof head,
           "POST %s HTTP/1.1\r\nHost: %s:%u\r\nAuthorization: Bearer %s\r\nConnection: close\r\n%sContent-Length: %u\r\n\r\n",
           UPLOAD, HOST, (unsigned)PORT, TOKEN, picture ? "Content-Type: image/jpeg\r\n" : "",
           picture ? (unsigned)picture->len : 0u);
  bool sent = sendAll(client, (const uint8_t *)head, strlen(head));
  if (sent && picture) sendAll(client, picture->buf, picture->len);
  // Also when not all went out: the answer then says why.
  Answer answer = readAnswer(client);
  client.stop();
  return answer;
}

// Waits; through a longer rest asleep, with camera and radio off.
void rest(uint32_t ms) {
  if (ms < NAP_MS) {
    delay(ms);
    return;
  }
  switchCameraOff();
  WiFi.disconnect(true);
  WiFi.mode(WIFI_OFF);
  Serial.flush();
  esp_sleep_enable_timer_wakeup((uint64_t)ms * 1000);
  esp_light_sleep_start();
}

void setup() {
  Serial.begin(115200);
  pinMode(FLASH_PIN, OUTPUT);
  digitalWrite(FLASH_PIN, LOW);
  pinMode(RED_LED_PIN, OUTPUT);
  digitalWrite(RED_LED_PIN, HIGH);
}

void loop() {
  uint32_t start = millis();
  Answer answer;
  if (joinNetwork()) {
    if (!wanted) {
      // Nobody has wanted a picture, so the camera stays off until somebody does.
      answer = upload(nullptr);
      wanted = answer.viewers > 0;
      if (wanted) return;
    } else if (switchCameraOn()) {
      camera_fb_t *picture = takePicture();
      if (picture) {
        answer = upload(picture);
        esp_camera_fb_return(picture);
      } else {
        Serial.println("no picture");
        switchCameraOff();
      }
      wanted = answer.viewers > 0;
    }
  }
  uint32_t took = millis() - start;
  uint32_t next = (uint32_t)answer.nextMs;
  if (wanted) {
    // From one picture to the next, not from an answer to the next picture.
    next = next > took ? next - took : 0;
  } else {
    switchCameraOff();
  }
  rest(next);
}
