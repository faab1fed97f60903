// VP8 and VP9 by libvpx.
#include "encode.h"

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include <array>
#include <utility>

namespace clips {
namespace {

class Vpx {
 public:
  using Frames = std::vector<std::vector<uint8_t>>;

  Vpx(vpx_codec_iface_t* codec, const Video& video) : interface_(codec) {
    vpx_codec_enc_config_default(codec, &config, 0);
    config.g_w = static_cast<unsigned>(video.width), config.g_h = static_cast<unsigned>(video.height);
    config.g_timebase = {1, kFps};
    config.g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
    config.g_lag_in_frames = 0;
    config.rc_end_usage = VPX_CBR;
    config.rc_target_bitrate = video.kbps;
    config.rc_dropframe_thresh = 0;
    config.rc_max_quantizer = 63;
    config.kf_mode = VPX_KF_DISABLED;
  }
  ~Vpx() { vpx_codec_destroy(&codec_); }
  Vpx(const Vpx&) = delete;
  Vpx& operator=(const Vpx&) = delete;

  // With `config` as it is now.
  void begin(int speed) {
    if (vpx_codec_enc_init(&codec_, interface_, &config, 0) != VPX_CODEC_OK)
      fail(std::string(name()) + " does not begin");
    set(VP8E_SET_CPUUSED, speed);
  }
  template <typename T>
  void set(int what, T value) {
    if (vpx_codec_control_(&codec_, what, value) != VPX_CODEC_OK) fail(std::string(name()) + " takes no control");
  }
  // Frames come one of a layer after the other, as libwebrtc takes them: with no superframe index behind them.
  void take_layers() {
    takes_layers_ = true;
    vpx_codec_priv_output_cx_pkt_cb_pair_t taker{keep_layer, this};
    set(VP9E_REGISTER_CX_CALLBACK, &taker);
  }
  // The frames of a picture, lowest layer first.
  Frames encode(int picture, std::vector<uint8_t>& pixels, int flags) {
    vpx_image_t image;
    vpx_img_wrap(&image, VPX_IMG_FMT_I420, config.g_w, config.g_h, 1, pixels.data());
    if (vpx_codec_encode(&codec_, &image, picture, 1, flags, VPX_DL_REALTIME) != VPX_CODEC_OK)
      fail(std::string(name()) + ": " + vpx_codec_error_detail(&codec_));
    vpx_codec_iter_t at = nullptr;
    while (const vpx_codec_cx_pkt_t* packet = vpx_codec_get_cx_data(&codec_, &at)) {
      if (packet->kind == VPX_CODEC_CX_FRAME_PKT && !takes_layers_) keep(*packet);
    }
    return std::exchange(made_, {});
  }

  vpx_codec_enc_cfg_t config;

 private:
  const char* name() const { return vpx_codec_iface_name(interface_); }
  void keep(const vpx_codec_cx_pkt_t& packet) {
    const auto* bytes = static_cast<const uint8_t*>(packet.data.frame.buf);
    made_.emplace_back(bytes, bytes + packet.data.frame.sz);
  }
  static void keep_layer(vpx_codec_cx_pkt_t* packet, void* self) { static_cast<Vpx*>(self)->keep(*packet); }

  vpx_codec_iface_t* interface_;
  vpx_codec_ctx_t codec_{};
  bool takes_layers_ = false;
  Frames made_;
};

// Of a picture with layers: what each layer refers to, and where it is kept.
vpx_svc_ref_frame_config_t vp9_references(const Mode& mode, int picture) {
  vpx_svc_ref_frame_config_t refs{};
  for (int s = 0; s < mode.spatial; ++s) {
    const Frame frame = plan_layer(mode, picture, s);
    refs.update_buffer_slot[s] = is_kept(mode, picture, s) ? 1 << svc_slot(mode, picture, s) : 0;
    refs.lst_fb_idx[s] = refs.gld_fb_idx[s] = refs.alt_fb_idx[s] = base_slot(mode, s);
    if (!frame.back.empty()) {
      refs.reference_last[s] = 1;
      refs.lst_fb_idx[s] = svc_slot(mode, picture - frame.back[0], s);
    }
    if (frame.back.size() > 1) {
      refs.reference_alt_ref[s] = 1;
      refs.alt_fb_idx[s] = svc_slot(mode, picture - frame.back[1], s);
    }
    if (frame.uses_below) {
      refs.reference_golden[s] = 1;
      refs.gld_fb_idx[s] = svc_slot(mode, picture, s - 1);
    }
  }
  return refs;
}

void set_vp9_layers(const Mode& mode, Vpx& vpx) {
  vpx.take_layers();
  vpx.set(VP9E_SET_SVC, 1);
  vpx_svc_extra_cfg_t extra{};
  for (int s = 0; s < mode.spatial; ++s) {
    extra.scaling_factor_num[s] = 1, extra.scaling_factor_den[s] = 1 << (mode.spatial - 1 - s);
    for (int t = 0; t < mode.temporal; ++t) {
      extra.max_quantizers[s * mode.temporal + t] = 63, extra.min_quantizers[s * mode.temporal + t] = 8;
    }
  }
  vpx.set(VP9E_SET_SVC_PARAMETERS, &extra);
  vpx.set(VP9E_SET_SVC_INTER_LAYER_PRED, mode.is_key_svc ? 2 : 0);
}

}  // namespace

void encode_vp8(const Mode& mode, const Video& video, Clip& clip) {
  Vpx vpx(vpx_codec_vp8_cx(), video);
  vpx.begin(-6);
  const int no_ref[] = {VP8_EFLAG_NO_REF_LAST, VP8_EFLAG_NO_REF_GF, VP8_EFLAG_NO_REF_ARF};
  const int no_update[] = {VP8_EFLAG_NO_UPD_LAST, VP8_EFLAG_NO_UPD_GF, VP8_EFLAG_NO_UPD_ARF};
  for (int picture = 0;; ++picture) {
    std::vector<uint8_t> pixels = read_picture(video);
    if (pixels.empty()) break;
    const Frame frame = plan(mode, picture);
    const auto own = static_cast<size_t>(slot_of(mode, picture));
    int flags = 0;
    if (frame.is_key) {
      flags = VPX_EFLAG_FORCE_KF;
    } else {
      std::array<bool, 3> is_used{};
      for (const int back : frame.back) is_used[static_cast<size_t>(slot_of(mode, picture - back))] = true;
      for (size_t i = 0; i < 3; ++i) {
        if (!is_used[i]) flags |= no_ref[i];
        if (i != own) flags |= no_update[i];
      }
      if (frame.temporal > 0) flags |= VP8_EFLAG_NO_UPD_ENTROPY;
    }
    for (const std::vector<uint8_t>& made : vpx.encode(picture, pixels, flags)) clip.add(frame, made);
  }
}

void encode_vp9(const Mode& mode, const Video& video, Clip& clip) {
  Vpx vpx(vpx_codec_vp9_cx(), video);
  vpx.config.rc_min_quantizer = 8;
  vpx.config.rc_buf_initial_sz = 500, vpx.config.rc_buf_optimal_sz = 600, vpx.config.rc_buf_sz = 1'000;
  vpx.config.ss_number_layers = static_cast<unsigned>(mode.spatial);
  vpx.config.ts_number_layers = static_cast<unsigned>(mode.temporal);
  vpx.config.temporal_layering_mode = VP9E_TEMPORAL_LAYERING_MODE_BYPASS;
  for (int t = 0; t < mode.temporal; ++t)
    vpx.config.ts_rate_decimator[t] = static_cast<unsigned>(1 << (mode.temporal - 1 - t));
  for (int s = 0; s < mode.spatial; ++s) {
    vpx.config.ss_target_bitrate[s] = layer_kbps(mode, video.kbps, s, mode.temporal - 1);
    for (int t = 0; t < mode.temporal; ++t) {
      vpx.config.layer_target_bitrate[s * mode.temporal + t] = layer_kbps(mode, video.kbps, s, t);
    }
  }
  vpx.begin(7);
  vpx.set(VP9E_SET_AQ_MODE, 0);
  const bool has_layers = mode.spatial * mode.temporal > 1;
  if (has_layers) set_vp9_layers(mode, vpx);
  for (int picture = 0;; ++picture) {
    std::vector<uint8_t> pixels = read_picture(video);
    if (pixels.empty()) break;
    if (has_layers) {
      vpx_svc_layer_id_t id{};
      id.temporal_layer_id = plan(mode, picture).temporal;
      for (int s = 0; s < mode.spatial; ++s) id.temporal_layer_id_per_spatial[s] = id.temporal_layer_id;
      vpx.set(VP9E_SET_SVC_LAYER_ID, &id);
      vpx_svc_ref_frame_config_t refs = vp9_references(mode, picture);
      vpx.set(VP9E_SET_SVC_REF_FRAME_CONFIG, &refs);
    }
    const Vpx::Frames made = vpx.encode(picture, pixels, picture % kGroup == 0 ? VPX_EFLAG_FORCE_KF : 0);
    if (made.size() != static_cast<size_t>(mode.spatial)) fail("VP9: layers are missing");
    for (int s = 0; s < mode.spatial; ++s) clip.add(plan_layer(mode, picture, s), made[static_cast<size_t>(s)]);
  }
}

}  // namespace clips
