#include "vp8_encoder.h"

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include <algorithm>
#include <optional>

namespace atm0s::test_source {

namespace {

constexpr int kSpeed = -6;  // 0 to -16: the higher, the less CPU and the more bits for the same picture
constexpr unsigned kMostQuantizer = 58, kLeastQuantizer = 4;  // of 63: the highest is the coarsest
constexpr unsigned kDropBelowPercent = 30;                    // of the rate's buffer: pictures are left out
constexpr unsigned kKeyFramePercent = 400;                    // of a picture's usual share, at most
constexpr auto kFirstDuration = std::chrono::milliseconds(40);

}  // namespace

struct Vp8Encoder::Codec {
  vpx_codec_ctx_t context{};
  vpx_codec_enc_cfg_t config{};
  bool is_open = false;
  std::optional<std::chrono::steady_clock::time_point> first_at, last_at;

  ~Codec() {
    if (is_open) vpx_codec_destroy(&context);
  }
};

Vp8Encoder::Vp8Encoder(int width, int height) : codec_(std::make_unique<Codec>()) {
  vpx_codec_enc_cfg_t& config = codec_->config;
  if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &config, 0) != VPX_CODEC_OK) return;
  config.g_w = static_cast<unsigned>(width);
  config.g_h = static_cast<unsigned>(height);
  config.g_timebase = {1, 1'000'000};
  config.g_threads = 1;
  config.g_lag_in_frames = 0;
  config.kf_mode = VPX_KF_DISABLED;  // none but those that viewers ask for
  config.rc_end_usage = VPX_CBR;
  config.rc_min_quantizer = kLeastQuantizer;
  config.rc_max_quantizer = kMostQuantizer;
  config.rc_dropframe_thresh = kDropBelowPercent;
  config.rc_undershoot_pct = 100;
  config.rc_overshoot_pct = 15;
  config.rc_buf_initial_sz = 500;  // ms of the rate
  config.rc_buf_optimal_sz = 600;
  config.rc_buf_sz = 1000;
  codec_->is_open = vpx_codec_enc_init(&codec_->context, vpx_codec_vp8_cx(), &config, 0) == VPX_CODEC_OK;
  if (!codec_->is_open) return;
  vpx_codec_control(&codec_->context, VP8E_SET_CPUUSED, kSpeed);
  vpx_codec_control(&codec_->context, VP8E_SET_STATIC_THRESHOLD, 1);
  vpx_codec_control(&codec_->context, VP8E_SET_MAX_INTRA_BITRATE_PCT, kKeyFramePercent);
}

Vp8Encoder::~Vp8Encoder() = default;
Vp8Encoder::Vp8Encoder(Vp8Encoder&&) noexcept = default;

std::span<const uint8_t> Vp8Encoder::encode(const Picture& picture, bool is_key, uint64_t bits_per_second,
                                            std::chrono::steady_clock::time_point captured_at) {
  using std::chrono::duration_cast, std::chrono::microseconds;
  Codec& codec = *codec_;
  if (!codec.is_open) return {};
  const auto kilobits = static_cast<unsigned>(std::max<uint64_t>(bits_per_second / 1000, 1));
  if (codec.config.rc_target_bitrate != kilobits) {
    codec.config.rc_target_bitrate = kilobits;
    vpx_codec_enc_config_set(&codec.context, &codec.config);
  }
  vpx_image_t image;
  vpx_img_wrap(&image, VPX_IMG_FMT_I420, static_cast<unsigned>(picture.width), static_cast<unsigned>(picture.height), 1,
               const_cast<uint8_t*>(picture.bytes.data()));
  if (!codec.first_at) codec.first_at = captured_at;
  const auto since_last = codec.last_at ? captured_at - *codec.last_at : kFirstDuration;
  codec.last_at = captured_at;
  const auto time = duration_cast<microseconds>(captured_at - *codec.first_at).count();
  const auto lasts = std::max<int64_t>(duration_cast<microseconds>(since_last).count(), 1);
  if (vpx_codec_encode(&codec.context, &image, time, static_cast<unsigned long>(lasts), is_key ? VPX_EFLAG_FORCE_KF : 0,
                       VPX_DL_REALTIME) != VPX_CODEC_OK) {
    return {};
  }
  vpx_codec_iter_t at = nullptr;
  while (const vpx_codec_cx_pkt_t* packet = vpx_codec_get_cx_data(&codec.context, &at)) {
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
    return {static_cast<const uint8_t*>(packet->data.frame.buf), packet->data.frame.sz};
  }
  return {};
}

}  // namespace atm0s::test_source
