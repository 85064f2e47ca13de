/* A bus whose devices a test plays. */
#include <Wire.h>

#include <assert.h>

typedef int (*write_function)(uint8_t device, uint8_t reg, uint8_t value);
typedef int (*read_function)(uint8_t device, uint8_t reg, uint8_t *data, size_t bytes);

static write_function on_write;
static read_function on_read;
static uint8_t device;
static uint8_t sent[2];
static size_t sent_bytes;
static uint8_t received[32];
static size_t received_bytes, taken;
static bool begun, open, addressed;

extern "C" {
int shim_starts;
int wire_hz, wire_sda = -1, wire_scl = -1;
const void *wire_used;

void shim_connect(write_function to_write, read_function to_read)
{
  on_write = to_write;
  on_read = to_read;
}
}

void TwoWire::setSDA(uint32_t pin)
{
  assert(shim_starts > 0 || !begun);
  wire_sda = static_cast<int>(pin);
}

void TwoWire::setSCL(uint32_t pin) { wire_scl = static_cast<int>(pin); }

void TwoWire::begin()
{
  begun = true;
  wire_used = this;
  shim_starts++;
}

void TwoWire::end() { begun = false; }

void TwoWire::setClock(uint32_t hz)
{
  assert(begun);
  wire_hz = static_cast<int>(hz);
}

void TwoWire::beginTransmission(uint8_t address)
{
  assert(begun && !open && this == wire_used);
  open = true;
  device = address;
  sent_bytes = 0;
}

size_t TwoWire::write(uint8_t byte)
{
  assert(open && sent_bytes < sizeof sent);
  sent[sent_bytes++] = byte;
  return 1;
}

/* 2: the address was not acknowledged, as in every Wire. */
uint8_t TwoWire::endTransmission(bool stop)
{
  assert(open && sent_bytes == (stop ? 2u : 1u));
  open = false;
  addressed = !stop;
  return stop && on_write(device, sent[0], sent[1]) == 0 ? 2 : 0;
}

uint8_t TwoWire::requestFrom(uint8_t address, uint8_t count)
{
  assert(addressed && address == device && count <= sizeof received);
  addressed = false;
  taken = 0;
  received_bytes = on_read(device, sent[0], received, count) != 0 ? count : 0;
  return static_cast<uint8_t>(received_bytes);
}

int TwoWire::read()
{
  assert(taken < received_bytes);
  return received[taken++];
}

TwoWire Wire;
TwoWire Wire1;

extern "C" int wire_is_first(void) { return wire_used == &Wire ? 1 : 0; }
