/* Frames and text on one byte stream.
 *
 * A frame is 00, COBS(header, payload, CRC-32), 00.  COBS removes all zeros, and text has none,
 * so a 0 always is the edge of a frame.  The header begins F7 00: on the wire a frame starts
 * 00 02 F7, and anything else after a 0 is text again. */
#ifndef TINYML_FRAME_H
#define TINYML_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tinyml_link_config.h"
#include "tinyml_protocol.h"

#define TINYML_FRAME_BYTES (TINYML_HEADER_BYTES + TINYML_LINK_PAYLOAD_BYTES + TINYML_CRC_BYTES)

enum tinyml_received {
  TINYML_RECEIVED_NOTHING, /* the byte is part of something unfinished */
  TINYML_RECEIVED_TEXT,    /* the byte is text */
  TINYML_RECEIVED_FRAME,   /* the byte ended a frame with a right CRC */
  TINYML_RECEIVED_DAMAGED  /* the byte ended a frame that is wrong */
};

enum tinyml_receiver_state {
  TINYML_RECEIVER_TEXT = 0, /* the state a zeroed receiver starts in */
  TINYML_RECEIVER_EDGE,     /* a 0 was the last byte */
  TINYML_RECEIVER_MARKER,   /* 00 02 were the last bytes */
  TINYML_RECEIVER_BODY      /* inside a frame */
};

/* What arrives, byte by byte. */
struct tinyml_receiver {
  enum tinyml_receiver_state state;
  bool zero_due; /* the block in work stands for its bytes and a 0 */
  bool overlong;
  uint8_t block_left; /* bytes missing in the block in work */
  size_t bytes;
  uint8_t frame[TINYML_FRAME_BYTES]; /* header, payload, CRC-32 */
};

enum tinyml_received tinyml_receive(struct tinyml_receiver *receiver, uint8_t byte);

/* Whether the last bytes belong to an unfinished frame. */
bool tinyml_receiver_in_frame(const struct tinyml_receiver *receiver);

/* Drops an unfinished frame: what follows is text. */
void tinyml_receiver_drop(struct tinyml_receiver *receiver);

/* Completes header and payload, `bytes` long, with a CRC-32 behind it and sends the frame.
 * `frame` has room for TINYML_CRC_BYTES more. */
void tinyml_send_frame(uint8_t *frame, size_t bytes);

/* Sends a frame that is complete with its CRC. */
void tinyml_send_frame_again(const uint8_t *frame, size_t bytes);

#endif
