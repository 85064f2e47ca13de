#include "tinyml_frame.h"

#include "port.h"
#include "tinyml_crc32.h"

enum {
  COBS_FIRST_CODE = 2, /* the code before a marker that a 0 follows */
  COBS_LONGEST = 254   /* bytes of the longest block */
};

static void append(struct tinyml_receiver *receiver, uint8_t byte)
{
  if (receiver->bytes == TINYML_FRAME_BYTES) {
    receiver->overlong = true;
    return;
  }
  receiver->frame[receiver->bytes++] = byte;
}

static void start(struct tinyml_receiver *receiver)
{
  receiver->state = TINYML_RECEIVER_BODY;
  receiver->overlong = false;
  receiver->bytes = 0;
  receiver->block_left = 0;
  receiver->zero_due = true;
  append(receiver, TINYML_MARKER);
}

static void decode(struct tinyml_receiver *receiver, uint8_t byte)
{
  if (receiver->block_left > 0) {
    receiver->block_left--;
    append(receiver, byte);
    return;
  }
  if (receiver->zero_due) {
    append(receiver, 0);
  }
  receiver->block_left = (uint8_t)(byte - 1u);
  receiver->zero_due = byte <= COBS_LONGEST;
}

static bool is_complete(const struct tinyml_receiver *receiver)
{
  if (receiver->overlong || receiver->block_left > 0 ||
      receiver->bytes < TINYML_HEADER_BYTES + TINYML_CRC_BYTES) {
    return false;
  }
  const size_t covered = receiver->bytes - TINYML_CRC_BYTES;
  struct tinyml_reader reader = {.data = receiver->frame + covered, .bytes = TINYML_CRC_BYTES};
  return tinyml_crc32(0, receiver->frame, covered) == tinyml_read_u32(&reader);
}

/* A frame that runs on beyond the longest one has lost its end: the stream is text again. */
static enum tinyml_received take_body(struct tinyml_receiver *receiver, uint8_t byte)
{
  if (byte == 0) {
    receiver->state = TINYML_RECEIVER_EDGE;
    return is_complete(receiver) ? TINYML_RECEIVED_FRAME : TINYML_RECEIVED_DAMAGED;
  }
  decode(receiver, byte);
  if (receiver->overlong) {
    receiver->state = TINYML_RECEIVER_TEXT;
    return TINYML_RECEIVED_DAMAGED;
  }
  return TINYML_RECEIVED_NOTHING;
}

enum tinyml_received tinyml_receive(struct tinyml_receiver *receiver, uint8_t byte)
{
  if (receiver->state == TINYML_RECEIVER_BODY) {
    return take_body(receiver, byte);
  }
  if (byte == 0) {
    receiver->state = TINYML_RECEIVER_EDGE;
    return TINYML_RECEIVED_NOTHING;
  }
  if (receiver->state == TINYML_RECEIVER_EDGE && byte == COBS_FIRST_CODE) {
    receiver->state = TINYML_RECEIVER_MARKER;
    return TINYML_RECEIVED_NOTHING;
  }
  if (receiver->state == TINYML_RECEIVER_MARKER && byte == TINYML_MARKER) {
    start(receiver);
    return TINYML_RECEIVED_NOTHING;
  }
  receiver->state = TINYML_RECEIVER_TEXT;
  return TINYML_RECEIVED_TEXT;
}

bool tinyml_receiver_in_frame(const struct tinyml_receiver *receiver)
{
  return receiver->state == TINYML_RECEIVER_BODY;
}

void tinyml_receiver_drop(struct tinyml_receiver *receiver)
{
  receiver->state = TINYML_RECEIVER_TEXT;
}

void tinyml_send_frame(uint8_t *frame, size_t bytes)
{
  struct tinyml_writer crc = {.data = frame + bytes, .capacity = TINYML_CRC_BYTES};
  tinyml_write_u32(&crc, tinyml_crc32(0, frame, bytes));
  tinyml_send_frame_again(frame, bytes + TINYML_CRC_BYTES);
}

static void send_byte(uint8_t byte) { port_write(&byte, 1); }

void tinyml_send_frame_again(const uint8_t *frame, size_t bytes)
{
  size_t position = 0;
  send_byte(0);
  for (;;) {
    size_t run = 0;
    while (run < COBS_LONGEST && position + run < bytes && frame[position + run] != 0) {
      run++;
    }
    send_byte((uint8_t)(run + 1u));
    port_write(frame + position, run);
    position += run;
    if (position == bytes) {
      break;
    }
    if (run < COBS_LONGEST) {
      position++; /* the block stands for this 0, too */
    }
  }
  send_byte(0);
}
