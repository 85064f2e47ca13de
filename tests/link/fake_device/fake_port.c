/* The port of a board that is a process: the serial port is stdin and stdout, a reset is exec. */
#define _POSIX_C_SOURCE 200809L
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HZ = 25000000, FILES = 8 };

static uint8_t received[4096];
static size_t received_bytes;
static size_t received_read;

static bool arrived(int milliseconds)
{
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&input, 1, milliseconds) > 0;
}

int port_read(void)
{
  if (received_read == received_bytes) {
    if (!arrived(0)) {
      return -1;
    }
    const ssize_t count = read(STDIN_FILENO, received, sizeof received);
    if (count <= 0) {
      exit(0); /* the host has closed the stream */
    }
    received_bytes = (size_t)count;
    received_read = 0;
  }
  return received[received_read++];
}

void port_wait(void)
{
  if (received_read == received_bytes) {
    (void)arrived(-1);
  }
}

void port_write(const uint8_t *data, size_t bytes)
{
  while (bytes > 0) {
    const ssize_t count = write(STDOUT_FILENO, data, bytes);
    if (count < 0 && errno != EINTR) {
      exit(0);
    }
    if (count > 0) {
      data += count;
      bytes -= (size_t)count;
    }
  }
}

size_t port_receive_capacity(void) { return sizeof received; }

uint32_t port_receive_overruns(void) { return 0; }

uint64_t port_ticks(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) / (1000000000u / HZ);
}

uint32_t port_ticks_hz(void) { return HZ; }

void port_spin(uint32_t loops)
{
  for (volatile uint32_t i = 0; i < loops; i = i + 1) {
  }
}

enum port_reset_reason port_reset_reason(void)
{
  return getenv("FAKE_RESTARTED") == NULL ? PORT_RESET_POWER_ON : PORT_RESET_SOFTWARE;
}

size_t port_stack_bytes(void) { return 4096; }

size_t port_stack_high_water(void) { return 1234; }

void port_exit(int status) { exit(status); }

void port_reset(void)
{
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1u);
  if (length > 0) {
    program[length] = '\0';
    setenv("FAKE_RESTARTED", "1", 1);
    execl(program, program, (char *)NULL);
  }
  abort();
}

#if TINYML_SEMIHOSTING
static FILE *files[FILES];

int port_file_open(const char *path, enum port_file_mode mode)
{
  for (int i = 0; i < FILES; i++) {
    if (files[i] == NULL) {
      files[i] = fopen(path, mode == PORT_FILE_READ ? "rb" : "wb");
      return files[i] == NULL ? -1 : i;
    }
  }
  return -1;
}

size_t port_file_read(int file, void *data, size_t bytes)
{
  return fread(data, 1, bytes, files[file]);
}

size_t port_file_write(int file, const void *data, size_t bytes)
{
  return fwrite(data, 1, bytes, files[file]);
}

int port_file_close(int file)
{
  const int result = fclose(files[file]);
  files[file] = NULL;
  return result == 0 ? 0 : -1;
}
#endif
