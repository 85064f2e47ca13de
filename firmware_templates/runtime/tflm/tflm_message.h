/* What TFLM says when it fails. */
#ifndef TFLM_MESSAGE_H_
#define TFLM_MESSAGE_H_

/* What it has said since tflm_message_clear(): one line, cut to fit; "" while it said nothing, and
 * always where it was built without messages. */
const char *tflm_message();
void tflm_message_clear();

#endif
