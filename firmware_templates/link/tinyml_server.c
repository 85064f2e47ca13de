#include "tinyml_server.h"

#include <stdbool.h>
#include <stddef.h>

#include "port.h"
#include "tinyml_console.h"
#include "tinyml_frame.h"
#include "tinyml_inference.h"
#include "tinyml_link.h"
#include "tinyml_requests.h"
#include "tinyml_run.h"

_Static_assert(TINYML_LINK_PAYLOAD_BYTES >= TINYML_PAYLOAD_BYTES_MIN, "HELLO must fit");
_Static_assert(TINYML_LINK_PAYLOAD_BYTES <= TINYML_PAYLOAD_BYTES_MAX, "the host's limit");

enum {
  ACTIVE_SECONDS = 5, /* how long a host counts as present after its last request */
  STALE_SECONDS = 2,  /* a frame that pauses for longer has lost its sender */
  SIGNS_OF_LIFE_A_SECOND = 4
};

static struct tinyml_receiver receiver;
static uint64_t last_byte; /* ticks */

static uint32_t session; /* 0: none is open */
static bool host_came;
static uint64_t last_request; /* ticks */
static uint64_t last_sign;    /* ticks */

static struct tinyml_header current; /* the request in work, or the last one */
static uint32_t current_crc;         /* tells a repeated request from another one */

static uint8_t reply_frame[TINYML_FRAME_BYTES];
static size_t reply_frame_bytes; /* 0 while the request is unanswered */
static struct tinyml_writer reply;

static uint64_t seconds(uint32_t count) { return (uint64_t)count * port_ticks_hz(); }

static void write_header(struct tinyml_writer *writer, const struct tinyml_header *request,
                         enum tinyml_status status)
{
  const struct tinyml_header header = {
      .marker = TINYML_MARKER,
      .zero = 0,
      .version = TINYML_PROTOCOL_VERSION,
      .type = (uint8_t)(request->type | TINYML_REPLY_BIT),
      .status = (uint8_t)status,
      .sequence = request->sequence,
      .session = request->session,
  };
  tinyml_pack_header(writer, &header);
}

/* Sends a status alone.  The kept reply stays as it is. */
static void send_status(const struct tinyml_header *request, enum tinyml_status status)
{
  uint8_t frame[TINYML_HEADER_BYTES + TINYML_CRC_BYTES];
  struct tinyml_writer writer = {.data = frame, .capacity = TINYML_HEADER_BYTES};
  write_header(&writer, request, status);
  tinyml_send_frame(frame, writer.bytes);
}

static void send_working(uint32_t done)
{
  uint8_t frame[TINYML_HEADER_BYTES + TINYML_WORKING_BYTES + TINYML_CRC_BYTES];
  struct tinyml_writer writer = {.data = frame, .capacity = sizeof frame - TINYML_CRC_BYTES};
  write_header(&writer, &current, TINYML_STATUS_WORKING);
  tinyml_pack_working(&writer, &(struct tinyml_working){.done = done});
  tinyml_send_frame(frame, writer.bytes);
  last_sign = port_ticks();
}

struct tinyml_writer *tinyml_server_reply(void)
{
  reply = (struct tinyml_writer){
      .data = reply_frame + TINYML_HEADER_BYTES,
      .capacity = TINYML_LINK_PAYLOAD_BYTES,
  };
  return &reply;
}

void tinyml_server_answer(enum tinyml_status status)
{
  struct tinyml_writer header = {.data = reply_frame, .capacity = TINYML_HEADER_BYTES};
  write_header(&header, &current, status);
  reply_frame_bytes = TINYML_HEADER_BYTES + reply.bytes + TINYML_CRC_BYTES;
  tinyml_send_frame(reply_frame, TINYML_HEADER_BYTES + reply.bytes);
}

void tinyml_server_fail(enum tinyml_status status, const char *detail)
{
  tinyml_write_text(tinyml_server_reply(), detail);
  tinyml_server_answer(status);
}

void tinyml_server_progress(uint32_t inferences_done)
{
  if (port_ticks() - last_sign >= port_ticks_hz() / SIGNS_OF_LIFE_A_SECOND) {
    send_working(inferences_done);
  }
}

static const struct handler {
  void (*obey)(struct tinyml_reader *payload);
  bool while_paused;
} handlers[] = {
    [TINYML_REQUEST_HELLO] = {tinyml_hello, true},
    [TINYML_REQUEST_INPUT_INFO] = {tinyml_input_info, true},
    [TINYML_REQUEST_OUTPUT_INFO] = {tinyml_output_info, true},
    [TINYML_REQUEST_SET_INPUT] = {tinyml_set_input, false},
    [TINYML_REQUEST_RUN] = {tinyml_run, false},
    [TINYML_REQUEST_GET_OUTPUT] = {tinyml_get_output, false},
    [TINYML_REQUEST_GET_LAYER] = {tinyml_get_layer, true},
    [TINYML_REQUEST_CONTINUE] = {tinyml_continue, true},
    [TINYML_REQUEST_ABORT] = {tinyml_abort, true},
    [TINYML_REQUEST_BENCHMARK] = {tinyml_benchmark, false},
    [TINYML_REQUEST_BULK] = {tinyml_bulk, false},
    [TINYML_REQUEST_RESET] = {tinyml_reset, true},
    [TINYML_REQUEST_MODEL_STATE] = {tinyml_model_state, true},
    [TINYML_REQUEST_PROFILE] = {tinyml_profile, false},
    [TINYML_REQUEST_FEATURES_INFO] = {tinyml_features_info, true},
    [TINYML_REQUEST_FEATURES_START] = {tinyml_features_start, false},
    [TINYML_REQUEST_PUSH] = {tinyml_push, false},
    [TINYML_REQUEST_GET_INPUT] = {tinyml_get_input, false},
    [TINYML_REQUEST_REPLAY] = {tinyml_replay, false},
    [TINYML_REQUEST_ANSWER_INFO] = {tinyml_answer_info, false},
    [TINYML_REQUEST_ANSWER] = {tinyml_answer, false},
    [TINYML_REQUEST_FEED] = {tinyml_feed, false},
};

void tinyml_server_obey(void)
{
  const bool known = current.type < sizeof handlers / sizeof handlers[0];
  if (!known || handlers[current.type].obey == NULL) {
    tinyml_server_fail(TINYML_STATUS_UNKNOWN_REQUEST, "");
    return;
  }
  if (tinyml_run_is_paused() && !handlers[current.type].while_paused) {
    tinyml_server_fail(TINYML_STATUS_IS_PAUSED, "");
    return;
  }
  if (TINYML_LONG_REQUESTS >> current.type & 1u) {
    send_working(0);
  }
  (void)tinyml_server_reply();
  struct tinyml_reader payload = {
      .data = receiver.frame + TINYML_HEADER_BYTES,
      .bytes = receiver.bytes - TINYML_HEADER_BYTES - TINYML_CRC_BYTES,
  };
  handlers[current.type].obey(&payload);
}

static uint32_t crc_of_frame(void)
{
  struct tinyml_reader reader = {
      .data = receiver.frame + receiver.bytes - TINYML_CRC_BYTES,
      .bytes = TINYML_CRC_BYTES,
  };
  return tinyml_read_u32(&reader);
}

/* Whether the host may ask anything: answers NO_SESSION where not. */
static bool enter_session(const struct tinyml_header *header)
{
  if (header->session != 0 && header->session == session) {
    return true;
  }
  if (header->session == 0 || header->type != TINYML_REQUEST_HELLO) {
    send_status(header, TINYML_STATUS_NO_SESSION);
    return false;
  }
  session = header->session;
  reply_frame_bytes = 0;
  return true;
}

/* Whether the request is new.  Repeats the kept reply of a repeated one, refuses an older one. */
static bool is_new(const struct tinyml_header *header, uint32_t crc)
{
  if (reply_frame_bytes == 0) {
    return true; /* the first of a session */
  }
  const uint16_t ahead = (uint16_t)(header->sequence - current.sequence);
  if (ahead == 0 && crc == current_crc) {
    tinyml_send_frame_again(reply_frame, reply_frame_bytes);
    return false;
  }
  if (ahead == 0 || ahead > INT16_MAX) {
    send_status(header, TINYML_STATUS_OLD_SEQUENCE);
    return false;
  }
  return true;
}

static void take_frame(void)
{
  struct tinyml_reader reader = {.data = receiver.frame, .bytes = TINYML_HEADER_BYTES};
  struct tinyml_header header;
  if (!tinyml_unpack_header(&reader, &header) || (header.type & TINYML_REPLY_BIT) != 0) {
    return; /* a reply: this is the device's own output, come back */
  }
  if (header.version != TINYML_PROTOCOL_VERSION) {
    send_status(&header, TINYML_STATUS_BAD_VERSION);
    return;
  }
  const uint32_t crc = crc_of_frame();
  if (!enter_session(&header) || !is_new(&header, crc)) {
    return;
  }
  host_came = header.type != TINYML_REQUEST_FEED; /* who feeds leaves the model to others */
  last_request = port_ticks();
  current = header;
  current_crc = crc;
  reply_frame_bytes = 0;
  tinyml_server_obey();
}

/* Without semihosting, time is real: a host that died within a frame must not leave a person at a
 * terminal without an answer.  In an emulator time may jump between two bytes. */
static void drop_stale_frame(void)
{
  if (TINYML_SEMIHOSTING || !tinyml_receiver_in_frame(&receiver)) {
    return;
  }
  const uint64_t now = port_ticks();
  if (now - last_byte > seconds(STALE_SECONDS)) {
    tinyml_receiver_drop(&receiver);
  }
  last_byte = now;
}

static void report_damage(void)
{
  const struct tinyml_header nothing = {.type = TINYML_NOTICE, .session = session};
  send_status(&nothing, TINYML_STATUS_DAMAGED);
}

static void take(uint8_t byte)
{
  drop_stale_frame();
  const bool in_frame = tinyml_receiver_in_frame(&receiver);
  switch (tinyml_receive(&receiver, byte)) {
  case TINYML_RECEIVED_TEXT:
    tinyml_console_take(byte);
    break;
  case TINYML_RECEIVED_FRAME:
    take_frame();
    break;
  case TINYML_RECEIVED_DAMAGED:
    report_damage();
    break;
  case TINYML_RECEIVED_NOTHING:
    break;
  }
  if (!in_frame && tinyml_receiver_in_frame(&receiver)) {
    tinyml_console_clear();
    last_byte = port_ticks();
  }
}

void tinyml_server_serve(void)
{
  const int byte = port_read();
  if (byte < 0) {
    port_wait();
    return;
  }
  take((uint8_t)byte);
}

void tinyml_link_init(int model_status)
{
  tinyml_inference_start(model_status);
  tinyml_console_greet();
}

void tinyml_link_poll(void)
{
  for (int byte = port_read(); byte >= 0; byte = port_read()) {
    take((uint8_t)byte);
  }
}

bool tinyml_link_active(void)
{
  return host_came && port_ticks() - last_request < seconds(ACTIVE_SECONDS);
}
