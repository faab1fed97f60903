// AV1 by libaom.
#include "encode.h"

#include <aom/aom_encoder.h>
#include <aom/aomcx.h>

namespace clips {
namespace {

aom_codec_enc_cfg_t config_of(const Video& video) {
  aom_codec_enc_cfg_t config;
  aom_codec_enc_config_default(aom_codec_av1_cx(), &config, AOM_USAGE_REALTIME);
  config.g_w = static_cast<unsigned>(video.width), config.g_h = static_cast<unsigned>(video.height);
  config.g_timebase = {1, kFps};
  config.g_lag_in_frames = 0;
  config.g_error_resilient = 0;
  config.rc_end_usage = AOM_CBR;
  config.rc_target_bitrate = video.kbps;
  config.rc_dropframe_thresh = 0;
  config.rc_min_quantizer = 8, config.rc_max_quantizer = 63;
  config.kf_mode = AOM_KF_DISABLED;
  return config;
}

aom_svc_params_t layers_of(const Mode& mode, unsigned kbps) {
  aom_svc_params_t params{};
  params.number_spatial_layers = mode.spatial, params.number_temporal_layers = mode.temporal;
  for (int s = 0; s < mode.spatial; ++s) {
    params.scaling_factor_num[s] = 1, params.scaling_factor_den[s] = 1 << (mode.spatial - 1 - s);
    for (int t = 0; t < mode.temporal; ++t) {
      const int layer = s * mode.temporal + t;
      params.max_quantizers[layer] = 63, params.min_quantizers[layer] = 8;
      params.layer_target_bitrate[layer] = static_cast<int>(layer_kbps(mode, kbps, s, t));
    }
  }
  for (int t = 0; t < mode.temporal; ++t) params.framerate_factor[t] = 1 << (mode.temporal - 1 - t);
  return params;
}

aom_svc_ref_frame_config_t references_of(const Mode& mode, const Frame& frame) {
  const int picture = frame.picture, s = frame.spatial;
  aom_svc_ref_frame_config_t refs{};
  for (int& index : refs.ref_idx) index = base_slot(mode, s);
  // 0: last, 6: alternate, 3: golden
  if (!frame.back.empty()) refs.reference[0] = 1, refs.ref_idx[0] = svc_slot(mode, picture - frame.back[0], s);
  if (frame.back.size() > 1) refs.reference[6] = 1, refs.ref_idx[6] = svc_slot(mode, picture - frame.back[1], s);
  if (frame.uses_below) refs.reference[3] = 1, refs.ref_idx[3] = svc_slot(mode, picture, s - 1);
  // libaom keeps a picture only where one of the seven references names the place, used or not: 1 is never used.
  if (is_kept(mode, picture, s)) {
    refs.ref_idx[1] = svc_slot(mode, picture, s);
    refs.refresh[svc_slot(mode, picture, s)] = 1;
  }
  return refs;
}

}  // namespace

void encode_av1(const Mode& mode, const Video& video, Clip& clip) {
  aom_codec_ctx_t codec;
  const aom_codec_enc_cfg_t config = config_of(video);
  if (aom_codec_enc_init(&codec, aom_codec_av1_cx(), &config, 0) != AOM_CODEC_OK) fail("AV1 does not begin");
  aom_codec_control(&codec, AOME_SET_CPUUSED, 8);
  aom_codec_control(&codec, AV1E_SET_ENABLE_ORDER_HINT, 0);
  aom_codec_control(&codec, AV1E_SET_ENABLE_GLOBAL_MOTION, 0);
  aom_codec_control(&codec, AV1E_SET_ENABLE_CDEF, 1);
  aom_codec_control(&codec, AV1E_SET_AQ_MODE, 0);
  aom_codec_control(&codec, AV1E_SET_ERROR_RESILIENT_MODE, 1);
  const bool has_layers = mode.spatial * mode.temporal > 1;
  aom_svc_params_t layers = layers_of(mode, video.kbps);
  if (has_layers && aom_codec_control(&codec, AV1E_SET_SVC_PARAMS, &layers) != AOM_CODEC_OK) fail("AV1 layers");
  for (int picture = 0;; ++picture) {
    std::vector<uint8_t> pixels = read_picture(video);
    if (pixels.empty()) break;
    for (int s = 0; s < mode.spatial; ++s) {
      const Frame frame = plan_layer(mode, picture, s);
      if (has_layers) {
        aom_svc_layer_id_t id{s, frame.temporal};
        aom_codec_control(&codec, AV1E_SET_SVC_LAYER_ID, &id);
        aom_svc_ref_frame_config_t refs = references_of(mode, frame);
        aom_codec_control(&codec, AV1E_SET_SVC_REF_FRAME_CONFIG, &refs);
      }
      aom_image_t image;
      aom_img_wrap(&image, AOM_IMG_FMT_I420, config.g_w, config.g_h, 1, pixels.data());
      const bool forces = picture % kGroup == 0 && s == 0;
      if (aom_codec_encode(&codec, &image, picture, 1, forces ? AOM_EFLAG_FORCE_KF : 0) != AOM_CODEC_OK)
        fail(std::string("AV1: ") + aom_codec_error_detail(&codec));
      aom_codec_iter_t at = nullptr;
      std::vector<uint8_t> made;
      while (const aom_codec_cx_pkt_t* packet = aom_codec_get_cx_data(&codec, &at)) {
        if (packet->kind != AOM_CODEC_CX_FRAME_PKT) continue;
        const auto* bytes = static_cast<const uint8_t*>(packet->data.frame.buf);
        made.insert(made.end(), bytes, bytes + packet->data.frame.sz);
      }
      clip.add(frame, made);
    }
  }
  aom_codec_destroy(&codec);
}

}  // namespace clips
