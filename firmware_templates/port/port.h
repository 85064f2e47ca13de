/* The board, as the rest of the firmware sees it: a byte stream, a clock, a stack, a way out.
 *
 * Everything here works before any other initialisation: the reset handler has called
 * port_init() by the time main() runs.  Nothing allocates, nothing needs the C library.
 */
#ifndef TINYML_PORT_H
#define TINYML_PORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define PORT_NORETURN [[noreturn]]
#else
#define PORT_NORETURN _Noreturn
#endif

/* 1 in builds for an emulator or under a debugger: adds the file functions and a real exit
 * status.  0 (default): none of that code exists, and no BKPT can stop a lone board. */
#ifndef TINYML_SEMIHOSTING
#define TINYML_SEMIHOSTING 0
#endif

/* Why the core started.  UNKNOWN where the chip does not tell. */
enum port_reset_reason {
  PORT_RESET_UNKNOWN = 0,
  PORT_RESET_POWER_ON = 1,
  PORT_RESET_PIN = 2,
  PORT_RESET_SOFTWARE = 3,
  PORT_RESET_WATCHDOG = 4,
  PORT_RESET_BROWN_OUT = 5,
  PORT_RESET_LOW_POWER = 6, /* left a sleep mode that ends in a reset */
  PORT_RESET_LOCKUP = 7     /* a fault inside a fault handler */
};

/* Prepares UART, timer and stack checks.  Called once by the reset handler, before main(). */
void port_init(void);

/* --- bytes ------------------------------------------------------------------------------- */

/* Next received byte, 0..255, or -1 when none is there.  Never blocks. */
int port_read(void);

/* Sleeps until a byte may be there.  Returns at once when one is; may return early. */
void port_wait(void);

/* Sends all bytes and returns when the last one is handed to the UART.  Blocks. */
void port_write(const uint8_t *data, size_t bytes);

/* Bytes that may arrive without being read before any is lost on real hardware. */
size_t port_receive_capacity(void);

/* Times the UART reported that bytes were lost since reset; 0 on a healthy link. */
uint32_t port_receive_overruns(void);

/* --- time -------------------------------------------------------------------------------- */

/* Monotonic since reset; counts at port_ticks_hz() and never wraps in practice.  Timers of 32 bits
 * are extended in software and must be read at least once in each 2^32 ticks (minutes).  Not to be
 * called from an interrupt handler. */
uint64_t port_ticks(void);
uint32_t port_ticks_hz(void);

/* Executes exactly PORT_SPIN_INSTRUCTIONS * loops instructions plus a constant few for the call.
 * Two timed spins of different lengths tell how many ticks an instruction takes in an emulator
 * that counts instructions:
 *   ticks per instruction = (t(b) - t(a)) / (PORT_SPIN_INSTRUCTIONS * (b - a)).
 * loops 0 only calls and returns. */
#define PORT_SPIN_INSTRUCTIONS 2
void port_spin(uint32_t loops);

/* --- state ------------------------------------------------------------------------------- */

enum port_reset_reason port_reset_reason(void);

/* Bytes reserved for the stack, and the most that was ever in use since reset. */
size_t port_stack_bytes(void);
size_t port_stack_high_water(void);

/* --- the end ----------------------------------------------------------------------------- */

/* Ends the program.  With semihosting the emulator ends with this exit status, 0..255; a board
 * stops with interrupts off until it is reset. */
PORT_NORETURN void port_exit(int status);

/* The exit status after a fault.  A line that starts with "!fault" was written before it. */
#define PORT_EXIT_FAULT 125

/* Restarts the chip through the system reset request of the core. */
PORT_NORETURN void port_reset(void);

#if TINYML_SEMIHOSTING
/* --- files of the host (semihosting) ------------------------------------------------------ */

enum port_file_mode { PORT_FILE_READ = 0, PORT_FILE_WRITE = 1 };

/* A handle >= 0, or -1.  PORT_FILE_WRITE makes the file or empties it. */
int port_file_open(const char *path, enum port_file_mode mode);

/* Bytes in the file, or -1. */
int32_t port_file_bytes(int file);

/* Bytes moved: fewer than asked at the end of the file, or when the disk is full. */
size_t port_file_read(int file, void *data, size_t bytes);
size_t port_file_write(int file, const void *data, size_t bytes);

/* 0, or -1 when the last bytes could not be written. */
int port_file_close(int file);

/* Copies the emulator's arguments, NUL-terminated and cut to `bytes` - 1; returns their length,
 * or 0 when there are none. */
size_t port_command_line(char *text, size_t bytes);
#endif

#ifdef __cplusplus
}
#endif

#endif
