#include "model.h"
#include "tinyml_inference.h"
#include "tinyml_link_config.h"
#include "tinyml_requests.h"
#include "tinyml_run.h"
#include "tinyml_server.h"

_Static_assert((int)MODEL_BOOL == (int)TINYML_TYPE_BOOL, "one numbering of types");
_Static_assert(sizeof((struct model_tensor *)0)->shape == 4 * TINYML_SHAPE_DIMENSIONS,
               "one number of dimensions");

static void answer_info(struct tinyml_reader *payload,
                        const struct model_tensor *(*tensor_at)(size_t index))
{
  struct tinyml_tensor_request request;
  if (!tinyml_unpack_tensor_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (!tinyml_run_can_start()) {
    return; /* without a model there are no tensors */
  }
  const struct model_tensor *tensor = tensor_at(request.index);
  if (tensor == NULL) {
    tinyml_server_fail(TINYML_STATUS_OUT_OF_RANGE, "");
    return;
  }
  struct tinyml_tensor_reply info = {
      .type = (uint8_t)tensor->type,
      .rank = (uint8_t)tensor->rank,
      .scale = tensor->scale,
      .zero_point = tensor->zero_point,
      .bytes = (uint32_t)tensor->bytes,
      .name = tensor->name,
  };
  for (size_t i = 0; i < TINYML_SHAPE_DIMENSIONS; i++) {
    info.shape[i] = tensor->shape[i];
  }
  tinyml_pack_tensor_reply(tinyml_server_reply(), &info);
  tinyml_server_answer(TINYML_STATUS_OK);
}

void tinyml_input_info(struct tinyml_reader *payload) { answer_info(payload, model_input); }

void tinyml_output_info(struct tinyml_reader *payload) { answer_info(payload, model_output); }

void tinyml_set_input(struct tinyml_reader *payload)
{
  struct tinyml_set_input_request request;
  if (!tinyml_unpack_set_input_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  const bool inside =
      tinyml_inference_set_input(request.index, request.offset, request.data, request.data_bytes);
  tinyml_server_answer(inside ? TINYML_STATUS_OK : TINYML_STATUS_OUT_OF_RANGE);
}

void tinyml_get_output(struct tinyml_reader *payload)
{
  struct tinyml_get_output_request request;
  if (!tinyml_unpack_get_output_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (!tinyml_inference_has_outputs()) {
    tinyml_server_fail(TINYML_STATUS_NO_RESULT, "");
    return;
  }
  const struct model_tensor *output = model_output(request.index);
  if (output == NULL || request.offset > output->bytes ||
      request.bytes > output->bytes - request.offset || request.bytes > TINYML_LINK_PAYLOAD_BYTES) {
    tinyml_server_fail(TINYML_STATUS_OUT_OF_RANGE, "");
    return;
  }
  tinyml_write_rest(tinyml_server_reply(), (const uint8_t *)output->data + request.offset,
                    request.bytes);
  tinyml_server_answer(TINYML_STATUS_OK);
}
