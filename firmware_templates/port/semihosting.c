/* Files, arguments and the exit status of the host, through semihosting. */

#include "semihosting.h"

#include <string.h>

#include "port.h"

#if TINYML_SEMIHOSTING

enum {
  SYS_OPEN = 0x01,
  SYS_CLOSE = 0x02,
  SYS_WRITE = 0x05,
  SYS_READ = 0x06,
  SYS_FLEN = 0x0C,
  SYS_GET_CMDLINE = 0x15,
  SYS_EXIT_EXTENDED = 0x20
};

enum { MODE_READ_BINARY = 1, MODE_WRITE_BINARY = 5 };

#define STOPPED_APPLICATION_EXIT 0x20026u

/* `block` may hold addresses of buffers that the host reads or fills: hence "memory". */
static int32_t call_host(uint32_t operation, uint32_t *block)
{
  register uint32_t r0 __asm("r0") = operation;
  register uint32_t *r1 __asm("r1") = block;
  __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return (int32_t)r0;
}

void port_semihosting_exit(int status)
{
  uint32_t block[] = {STOPPED_APPLICATION_EXIT, (uint32_t)status};
  call_host(SYS_EXIT_EXTENDED, block);
}

int port_file_open(const char *path, enum port_file_mode mode)
{
  uint32_t host_mode = mode == PORT_FILE_WRITE ? MODE_WRITE_BINARY : MODE_READ_BINARY;
  uint32_t block[] = {(uint32_t)path, host_mode, strlen(path)};
  return call_host(SYS_OPEN, block);
}

int32_t port_file_bytes(int file)
{
  uint32_t block[] = {(uint32_t)file};
  return call_host(SYS_FLEN, block);
}

/* Read and write answer with the number of bytes they did not move. */
static size_t moved(int32_t left, size_t bytes)
{
  return left < 0 || (size_t)left > bytes ? 0 : bytes - (size_t)left;
}

size_t port_file_read(int file, void *data, size_t bytes)
{
  uint32_t block[] = {(uint32_t)file, (uint32_t)data, bytes};
  return moved(call_host(SYS_READ, block), bytes);
}

size_t port_file_write(int file, const void *data, size_t bytes)
{
  uint32_t block[] = {(uint32_t)file, (uint32_t)data, bytes};
  return moved(call_host(SYS_WRITE, block), bytes);
}

int port_file_close(int file)
{
  uint32_t block[] = {(uint32_t)file};
  return call_host(SYS_CLOSE, block) == 0 ? 0 : -1;
}

size_t port_command_line(char *text, size_t bytes)
{
  if (bytes == 0) {
    return 0;
  }
  uint32_t block[] = {(uint32_t)text, bytes};
  if (call_host(SYS_GET_CMDLINE, block) != 0) {
    text[0] = '\0';
    return 0;
  }
  text[bytes - 1] = '\0';
  return strlen(text);
}

#endif
