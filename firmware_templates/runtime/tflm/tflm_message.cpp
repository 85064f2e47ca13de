/*
 * TFLM's port to this firmware: its messages are kept for whoever asks why something failed, and
 * nothing of a C library's printf, files or heap is needed for them.
 */
#include "tflm_message.h"

#include <cstdarg>
#include <cstddef>
#include <cstdint>

/* Weak: where a TFLM brings a port of its own, or the C++ library is linked, theirs are taken. */
#define TFLM_PORT extern "C" __attribute__((weak))

/* The two functions that TFLM leaves to its user; see its debug_log.h. */
TFLM_PORT void DebugLog(const char *format, va_list arguments);
TFLM_PORT int DebugVsnprintf(char *buffer, size_t bytes, const char *format, va_list arguments);

/* The end of a program that cannot go on: those of a C library would need its files and heap. */
TFLM_PORT [[noreturn]] void abort(void);
TFLM_PORT [[noreturn]] void __assert_func(const char *, int, const char *, const char *);
TFLM_PORT [[noreturn]] void __cxa_pure_virtual(void);

namespace
{

/* Text that ends where its buffer does. */
class Text
{
public:
  Text(char *buffer, size_t bytes) : buffer_(buffer), bytes_(bytes) {}

  void add(char c)
  {
    if (length_ + 1 < bytes_) {
      buffer_[length_] = c;
    }
    length_++;
    end();
  }

  void add(const char *text)
  {
    for (const char *c = text != nullptr ? text : "(null)"; *c != '\0'; c++) {
      add(*c);
    }
  }

  void add_number(uintmax_t value, unsigned base)
  {
    char digits[3 * sizeof value];
    size_t count = 0;
    do {
      digits[count++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    while (count > 0) {
      add(digits[--count]);
    }
  }

  void add_signed(intmax_t value)
  {
    if (value < 0) {
      add('-');
    }
    add_number(value < 0 ? 0 - static_cast<uintmax_t>(value) : static_cast<uintmax_t>(value), 10);
  }

  size_t length() const { return length_; }

  void clear()
  {
    length_ = 0;
    end();
  }

private:
  void end()
  {
    if (bytes_ > 0) {
      buffer_[length_ < bytes_ ? length_ : bytes_ - 1] = '\0';
    }
  }

  char *buffer_;
  size_t bytes_;
  size_t length_ = 0; /* as if there were room for all */
};

bool is_any_of(char c, const char *set)
{
  while (*set != '\0' && *set != c) {
    set++;
  }
  return *set != '\0';
}

/* Three decimals, cut off: enough to recognise a scale. */
void add_real(Text &text, double value)
{
  if (!(value > -1e9 && value < 1e9)) {
    text.add("(large)");
    return;
  }
  if (value < 0) {
    text.add('-');
    value = -value;
  }
  const uint32_t whole = static_cast<uint32_t>(value);
  const uint32_t thousandths = static_cast<uint32_t>((value - whole) * 1000.0);
  text.add_number(whole, 10);
  text.add('.');
  text.add_number(thousandths / 100, 10);
  text.add_number(thousandths / 10 % 10, 10);
  text.add_number(thousandths % 10, 10);
}

/* Takes the next argument, whose size the length modifiers tell: "", "l", "ll", "z", "h", ... */
intmax_t next_signed(va_list &arguments, unsigned longs, bool is_size)
{
  if (is_size) {
    return static_cast<intmax_t>(va_arg(arguments, ptrdiff_t));
  }
  return longs > 1 ? va_arg(arguments, long long)
                   : (longs == 1 ? va_arg(arguments, long) : va_arg(arguments, int));
}

uintmax_t next_unsigned(va_list &arguments, unsigned longs, bool is_size)
{
  if (is_size) {
    return va_arg(arguments, size_t);
  }
  return longs > 1 ? va_arg(arguments, unsigned long long)
                   : (longs == 1 ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned));
}

/* printf's conversions without its flags, widths and precisions, which are read over. */
void add_formatted(Text &text, const char *format, va_list &arguments)
{
  for (; *format != '\0'; format++) {
    if (*format != '%') {
      text.add(*format);
      continue;
    }
    format++;
    while (is_any_of(*format, "-+ #.0123456789")) {
      format++;
    }
    unsigned longs = 0;
    bool is_size = false;
    for (; is_any_of(*format, "lhzjt"); format++) {
      longs += *format == 'l' ? 1u : (*format == 'j' ? 2u : 0u);
      is_size = is_size || *format == 'z' || *format == 't';
    }
    switch (*format) {
    case 'd':
    case 'i':
      text.add_signed(next_signed(arguments, longs, is_size));
      break;
    case 'u':
      text.add_number(next_unsigned(arguments, longs, is_size), 10);
      break;
    case 'x':
    case 'X':
      text.add_number(next_unsigned(arguments, longs, is_size), 16);
      break;
    case 'p':
      text.add("0x");
      text.add_number(reinterpret_cast<uintptr_t>(va_arg(arguments, void *)), 16);
      break;
    case 'c':
      text.add(static_cast<char>(va_arg(arguments, int)));
      break;
    case 's':
      text.add(va_arg(arguments, const char *));
      break;
    case 'f':
    case 'e':
    case 'g':
      add_real(text, va_arg(arguments, double));
      break;
    case '\0':
      return;
    default: /* %%, and what nobody uses */
      text.add(*format);
      break;
    }
  }
}

constexpr size_t MESSAGE_BYTES = 192;
char message[MESSAGE_BYTES];
size_t message_length;

/* Keeps a message on the one line: the end of one line begins a further sentence. */
void append_line(const char *text)
{
  for (; *text != '\0' && message_length + 1 < MESSAGE_BYTES; text++) {
    if (*text == '\r' || *text == '\n') {
      continue;
    }
    message[message_length++] = *text;
  }
  message[message_length] = '\0';
}

} // namespace

const char *tflm_message() { return message; }

void tflm_message_clear()
{
  message_length = 0;
  message[0] = '\0';
}

/* TFLM ends each message with a call that holds only the line's end. */
void DebugLog(const char *format, va_list arguments)
{
  static bool line_ended;
  if (format[0] == '\r' && format[1] == '\n' && format[2] == '\0') {
    line_ended = true;
    return;
  }
  char piece[MESSAGE_BYTES];
  Text text(piece, sizeof piece);
  va_list taken;
  va_copy(taken, arguments);
  add_formatted(text, format, taken);
  va_end(taken);
  if (line_ended && message_length > 0) {
    append_line("; ");
  }
  line_ended = false;
  append_line(piece);
}

int DebugVsnprintf(char *buffer, size_t bytes, const char *format, va_list arguments)
{
  Text text(buffer, bytes);
  va_list taken;
  va_copy(taken, arguments);
  add_formatted(text, format, taken);
  va_end(taken);
  return static_cast<int>(text.length());
}

/* A fault, which the port's fault handler reports with the address. */
void abort(void) { __builtin_trap(); }

void __assert_func(const char *, int, const char *, const char *) { __builtin_trap(); }

void __cxa_pure_virtual(void) { __builtin_trap(); }
