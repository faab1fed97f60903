// Makes one clip of tests/layers from raw pictures on standard input (I420): the frames of every layer with what is
// known of them. Called by `make` beside it, by hand; neither built nor run by the tests. Needs Debian's libvpx-dev,
// libaom-dev and libx264-dev.
//
//   encode MODE WIDTH HEIGHT KBPS OUT <pictures     MODE: codec-layers, such as vp8-L1T3, vp9-L3T3_KEY, h264-L1T1
//
// Every kGroup pictures there is a key frame. Temporal layers of three have a pattern of eight pictures whose second
// half goes on from the upper layers of the first one, so that not every picture is a place to go up. What refers to
// what is chosen here, for every codec, and written to the file: clip.h has its format.
#include <aom/aom_encoder.h>
#include <aom/aomcx.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>
#include <x264.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr int kFps = 15;
constexpr int kGroup = 16;

struct Mode {
  std::string codec;
  int spatial = 1, temporal = 1;
  bool is_key_svc = false;
};

struct Frame {
  int picture = 0, spatial = 0, temporal = 0;
  bool is_key = false;        // the picture is one
  bool is_switch = false;     // VP8: Y; VP9 and AV1: what comes after it needs nothing of higher layers before it
  bool uses_below = false;    // refers to the next lower spatial layer
  bool is_for_above = false;  // the next higher spatial layer refers to it
  std::vector<int> back;      // pictures back, of its own spatial layer
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "encode: %s\n", why.c_str());
  std::exit(1);
}

class Clip {
 public:
  Clip(const std::string& path, const Mode& mode, int width, int height) : file_(std::fopen(path.c_str(), "wb")) {
    if (file_ == nullptr) fail("cannot write " + path);
    const int codec = mode.codec == "vp8" ? 1 : mode.codec == "vp9" ? 2 : mode.codec == "h264" ? 3 : 4;
    std::fwrite("CLIP", 1, 4, file_);
    u8(codec), u8(mode.spatial), u8(mode.temporal), u8(kFps), u16(width), u16(height);
  }
  ~Clip() { std::fclose(file_); }
  Clip(const Clip&) = delete;
  Clip& operator=(const Clip&) = delete;

  void add(const Frame& frame, const std::vector<uint8_t>& bytes) {
    if (bytes.empty()) fail("the encoder has left out a frame");
    u16(static_cast<int>(bytes.size() >> 16)), u16(static_cast<int>(bytes.size() & 0xFFFF));
    u16(frame.picture), u8(frame.spatial), u8(frame.temporal);
    u8(frame.is_key | frame.is_switch << 1 | frame.uses_below << 2 | frame.is_for_above << 3);
    u8(static_cast<int>(frame.back.size()));
    for (const int back : frame.back) u8(back);
    std::fwrite(bytes.data(), 1, bytes.size(), file_);
  }

 private:
  void u8(int value) { std::fputc(value & 0xFF, file_); }
  void u16(int value) { u8(value >> 8), u8(value); }
  FILE* file_;
};

// The pattern. Positions are places in the group; of each picture the temporal layer and the pictures that it refers
// to. With three layers: 1 and 2 are synchronised with the base layer, 5 to 7 go on from what was before.
Frame plan(const Mode& mode, int picture) {
  Frame out;
  out.picture = picture;
  const int place = picture % kGroup;
  out.is_key = place == 0;
  if (mode.temporal == 1) {
    out.back = {1};
  } else if (mode.temporal == 2) {
    static const std::array<std::vector<int>, 4> kBack{{{2}, {1}, {2}, {1, 2}}};
    out.temporal = place % 2;
    out.back = kBack[static_cast<size_t>(place % 4)];
    out.is_switch = place % 4 == 1;
  } else {
    static const std::array<std::vector<int>, 8> kBack{{{4}, {1}, {2}, {1}, {4}, {1, 2}, {2, 4}, {1, 2}}};
    static const std::array<int, 8> kLayer{0, 2, 1, 2, 0, 2, 1, 2};
    const auto at = static_cast<size_t>(place % 8);
    out.temporal = kLayer[at];
    out.back = kBack[at];
    // VP8's Y: the frame refers to the base layer alone. The others' switching point: what follows it does not refer
    // to higher layers of before. 4 and 6 are none, for what follows goes on from 2, 3 and 5.
    out.is_switch = mode.codec == "vp8" ? at == 1 || at == 2 : at <= 3 || at == 7;
  }
  if (out.is_key) out.back.clear(), out.is_switch = mode.codec != "vp8";
  return out;
}

// Where the pictures of the pattern are kept: the base layer in 0, the others by their place of eight.
int slot_of(const Mode& mode, int picture) {
  const Frame frame = plan(mode, picture);
  return frame.temporal == 0 ? 0 : frame.temporal + 1 == mode.temporal ? 2 : 1;
}

std::vector<uint8_t> read_picture(int width, int height) {
  std::vector<uint8_t> out(static_cast<size_t>(width * height * 3 / 2));
  if (std::fread(out.data(), 1, out.size(), stdin) != out.size()) out.clear();
  return out;
}

void encode_vp8(const Mode& mode, int width, int height, unsigned kbps, Clip& clip) {
  vpx_codec_ctx_t codec;
  vpx_codec_enc_cfg_t config;
  vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &config, 0);
  config.g_w = static_cast<unsigned>(width), config.g_h = static_cast<unsigned>(height);
  config.g_timebase = {1, kFps};
  config.g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
  config.g_lag_in_frames = 0;
  config.rc_end_usage = VPX_CBR;
  config.rc_target_bitrate = kbps;
  config.rc_dropframe_thresh = 0;
  config.rc_max_quantizer = 63;
  config.kf_mode = VPX_KF_DISABLED;
  if (vpx_codec_enc_init(&codec, vpx_codec_vp8_cx(), &config, 0) != VPX_CODEC_OK) fail("VP8 does not begin");
  vpx_codec_control(&codec, VP8E_SET_CPUUSED, -6);
  const int no_ref[] = {VP8_EFLAG_NO_REF_LAST, VP8_EFLAG_NO_REF_GF, VP8_EFLAG_NO_REF_ARF};
  const int no_update[] = {VP8_EFLAG_NO_UPD_LAST, VP8_EFLAG_NO_UPD_GF, VP8_EFLAG_NO_UPD_ARF};
  for (int picture = 0;; ++picture) {
    std::vector<uint8_t> pixels = read_picture(width, height);
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
    vpx_image_t image;
    vpx_img_wrap(&image, VPX_IMG_FMT_I420, config.g_w, config.g_h, 1, pixels.data());
    if (vpx_codec_encode(&codec, &image, picture, 1, flags, VPX_DL_REALTIME) != VPX_CODEC_OK) fail("VP8");
    vpx_codec_iter_t at = nullptr;
    while (const vpx_codec_cx_pkt_t* packet = vpx_codec_get_cx_data(&codec, &at)) {
      if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
      const auto* bytes = static_cast<const uint8_t*>(packet->data.frame.buf);
      clip.add(frame, {bytes, bytes + packet->data.frame.sz});
    }
  }
  vpx_codec_destroy(&codec);
}

// Spatial layers: each frame of a picture, and what the next layer needs of the one below.
Frame plan_layer(const Mode& mode, int picture, int spatial) {
  Frame frame = plan(mode, picture);
  frame.spatial = spatial;
  frame.uses_below = spatial > 0 && (frame.is_key || !mode.is_key_svc);
  frame.is_for_above = spatial + 1 < mode.spatial && (frame.is_key || !mode.is_key_svc);
  return frame;
}

// Eight slots: two for each spatial layer, for its base layer and the one above; the last two hold what only the next
// higher spatial layer of the same picture refers to.
int svc_slot(const Mode& mode, int picture, int spatial) {
  const int slot = slot_of(mode, picture);
  if (mode.spatial == 1) return slot;
  return slot < 2 ? spatial * 2 + slot : 6 + spatial % 2;
}
// The highest spatial layer of the highest temporal layer is kept for nobody: it would be too large for the slot's
// other user to name.
bool is_kept(const Mode& mode, int picture, int spatial) {
  return mode.spatial == 1 || slot_of(mode, picture) < 2 || spatial + 1 < mode.spatial;
}
// What references that are not used name.
int base_slot(const Mode& mode, int spatial) {
  return mode.spatial == 1 ? 0 : spatial * 2;
}

// With spatial layers no more than the newest of the pictures in `back`; they all stand on the older ones.
void keep_what_fits(const Mode& mode, Frame& frame) {
  if (mode.spatial == 1 || frame.back.size() < 2) return;
  const int place = frame.picture % 8;
  frame.back = place == 6 ? std::vector<int>{4} : std::vector<int>{1};
}

// As libwebrtc takes them: one frame of a layer after the other, with no superframe index behind them.
void keep_layer(vpx_codec_cx_pkt_t* packet, void* made) {
  const auto* bytes = static_cast<const uint8_t*>(packet->data.frame.buf);
  static_cast<std::vector<std::vector<uint8_t>>*>(made)->emplace_back(bytes, bytes + packet->data.frame.sz);
}

void encode_vp9(const Mode& mode, int width, int height, unsigned kbps, Clip& clip) {
  vpx_codec_ctx_t codec;
  vpx_codec_enc_cfg_t config;
  vpx_codec_enc_config_default(vpx_codec_vp9_cx(), &config, 0);
  const auto layers = static_cast<unsigned>(mode.spatial * mode.temporal);
  config.g_w = static_cast<unsigned>(width), config.g_h = static_cast<unsigned>(height);
  config.g_timebase = {1, kFps};
  config.g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
  config.g_lag_in_frames = 0;
  config.rc_end_usage = VPX_CBR;
  config.rc_target_bitrate = kbps;
  config.rc_dropframe_thresh = 0;
  config.rc_min_quantizer = 8, config.rc_max_quantizer = 63;
  config.rc_buf_initial_sz = 500, config.rc_buf_optimal_sz = 600, config.rc_buf_sz = 1'000;
  config.kf_mode = VPX_KF_DISABLED;
  config.ss_number_layers = static_cast<unsigned>(mode.spatial);
  config.ts_number_layers = static_cast<unsigned>(mode.temporal);
  config.temporal_layering_mode = VP9E_TEMPORAL_LAYERING_MODE_BYPASS;
  for (int t = 0; t < mode.temporal; ++t)
    config.ts_rate_decimator[t] = static_cast<unsigned>(1 << (mode.temporal - 1 - t));
  static const int kShare[] = {1, 3, 9};  // of the spatial layers
  unsigned shares = 0;
  for (int s = 0; s < mode.spatial; ++s) shares += static_cast<unsigned>(kShare[s]);
  for (int s = 0; s < mode.spatial; ++s) {
    const unsigned rate = kbps * static_cast<unsigned>(kShare[s]) / shares;
    config.ss_target_bitrate[s] = rate;
    for (int t = 0; t < mode.temporal; ++t) {
      config.layer_target_bitrate[s * mode.temporal + t] =
          rate * static_cast<unsigned>(t + 2) / static_cast<unsigned>(mode.temporal + 1);
    }
  }
  if (vpx_codec_enc_init(&codec, vpx_codec_vp9_cx(), &config, 0) != VPX_CODEC_OK) fail("VP9 does not begin");
  vpx_codec_control(&codec, VP8E_SET_CPUUSED, 7);
  vpx_codec_control(&codec, VP9E_SET_AQ_MODE, 0);
  std::vector<std::vector<uint8_t>> made;
  if (layers > 1) {
    vpx_codec_priv_output_cx_pkt_cb_pair_t taker{keep_layer, &made};
    vpx_codec_control(&codec, VP9E_REGISTER_CX_CALLBACK, &taker);
    vpx_codec_control(&codec, VP9E_SET_SVC, 1);
    vpx_svc_extra_cfg_t extra{};
    for (int s = 0; s < mode.spatial; ++s) {
      extra.scaling_factor_num[s] = 1, extra.scaling_factor_den[s] = 1 << (mode.spatial - 1 - s);
      for (int t = 0; t < mode.temporal; ++t) {
        extra.max_quantizers[s * mode.temporal + t] = 63, extra.min_quantizers[s * mode.temporal + t] = 8;
      }
    }
    vpx_codec_control(&codec, VP9E_SET_SVC_PARAMETERS, &extra);
    vpx_codec_control(&codec, VP9E_SET_SVC_INTER_LAYER_PRED, mode.is_key_svc ? 2u : 0u);
  }
  for (int picture = 0;; ++picture) {
    std::vector<uint8_t> pixels = read_picture(width, height);
    if (pixels.empty()) break;
    if (layers > 1) {
      vpx_svc_layer_id_t id{};
      id.temporal_layer_id = plan(mode, picture).temporal;
      for (int s = 0; s < mode.spatial; ++s) id.temporal_layer_id_per_spatial[s] = id.temporal_layer_id;
      vpx_codec_control(&codec, VP9E_SET_SVC_LAYER_ID, &id);
      vpx_svc_ref_frame_config_t refs{};
      for (int s = 0; s < mode.spatial; ++s) {
        Frame frame = plan_layer(mode, picture, s);
        keep_what_fits(mode, frame);
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
      vpx_codec_control(&codec, VP9E_SET_SVC_REF_FRAME_CONFIG, &refs);
    }
    vpx_image_t image;
    vpx_img_wrap(&image, VPX_IMG_FMT_I420, config.g_w, config.g_h, 1, pixels.data());
    const int flags = picture % kGroup == 0 ? VPX_EFLAG_FORCE_KF : 0;
    if (vpx_codec_encode(&codec, &image, picture, 1, flags, VPX_DL_REALTIME) != VPX_CODEC_OK)
      fail(std::string("VP9: ") + vpx_codec_error_detail(&codec));
    vpx_codec_iter_t at = nullptr;
    while (const vpx_codec_cx_pkt_t* packet = vpx_codec_get_cx_data(&codec, &at)) {
      const auto* bytes = static_cast<const uint8_t*>(packet->data.frame.buf);
      if (packet->kind == VPX_CODEC_CX_FRAME_PKT && layers == 1)
        made.emplace_back(bytes, bytes + packet->data.frame.sz);
    }
    if (made.size() != static_cast<size_t>(mode.spatial)) fail("VP9: layers are missing");
    for (int s = 0; s < mode.spatial; ++s) {
      Frame frame = plan_layer(mode, picture, s);
      keep_what_fits(mode, frame);
      clip.add(frame, made[static_cast<size_t>(s)]);
    }
    made.clear();
  }
  vpx_codec_destroy(&codec);
}

void encode_av1(const Mode& mode, int width, int height, unsigned kbps, Clip& clip) {
  aom_codec_ctx_t codec;
  aom_codec_enc_cfg_t config;
  aom_codec_enc_config_default(aom_codec_av1_cx(), &config, AOM_USAGE_REALTIME);
  config.g_w = static_cast<unsigned>(width), config.g_h = static_cast<unsigned>(height);
  config.g_timebase = {1, kFps};
  config.g_lag_in_frames = 0;
  config.g_error_resilient = 0;
  config.rc_end_usage = AOM_CBR;
  config.rc_target_bitrate = kbps;
  config.rc_dropframe_thresh = 0;
  config.rc_min_quantizer = 8, config.rc_max_quantizer = 63;
  config.kf_mode = AOM_KF_DISABLED;
  if (aom_codec_enc_init(&codec, aom_codec_av1_cx(), &config, 0) != AOM_CODEC_OK) fail("AV1 does not begin");
  aom_codec_control(&codec, AOME_SET_CPUUSED, 8);
  aom_codec_control(&codec, AV1E_SET_ENABLE_ORDER_HINT, 0);
  aom_codec_control(&codec, AV1E_SET_ENABLE_GLOBAL_MOTION, 0);
  aom_codec_control(&codec, AV1E_SET_ENABLE_CDEF, 1);
  aom_codec_control(&codec, AV1E_SET_AQ_MODE, 0);
  aom_codec_control(&codec, AV1E_SET_ERROR_RESILIENT_MODE, 1);
  const bool is_svc = mode.spatial * mode.temporal > 1;
  if (is_svc) {
    aom_svc_params_t params{};
    params.number_spatial_layers = mode.spatial, params.number_temporal_layers = mode.temporal;
    static const int kShare[] = {1, 3, 9};
    int shares = 0;
    for (int s = 0; s < mode.spatial; ++s) shares += kShare[s];
    for (int s = 0; s < mode.spatial; ++s) {
      params.scaling_factor_num[s] = 1, params.scaling_factor_den[s] = 1 << (mode.spatial - 1 - s);
      for (int t = 0; t < mode.temporal; ++t) {
        const int layer = s * mode.temporal + t;
        params.max_quantizers[layer] = 63, params.min_quantizers[layer] = 8;
        params.layer_target_bitrate[layer] =
            static_cast<int>(kbps) * kShare[s] / shares * (t + 2) / (mode.temporal + 1);
      }
    }
    for (int t = 0; t < mode.temporal; ++t) params.framerate_factor[t] = 1 << (mode.temporal - 1 - t);
    if (aom_codec_control(&codec, AV1E_SET_SVC_PARAMS, &params) != AOM_CODEC_OK) fail("AV1 layers");
  }
  for (int picture = 0;; ++picture) {
    std::vector<uint8_t> pixels = read_picture(width, height);
    if (pixels.empty()) break;
    for (int s = 0; s < mode.spatial; ++s) {
      Frame frame = plan_layer(mode, picture, s);
      keep_what_fits(mode, frame);
      if (is_svc) {
        aom_svc_layer_id_t id{s, frame.temporal};
        aom_codec_control(&codec, AV1E_SET_SVC_LAYER_ID, &id);
        aom_svc_ref_frame_config_t refs{};
        for (int& index : refs.ref_idx) index = base_slot(mode, s);
        // 0: last, 6: alternate, 3: golden
        if (!frame.back.empty()) {
          refs.reference[0] = 1, refs.ref_idx[0] = svc_slot(mode, picture - frame.back[0], s);
        }
        if (frame.back.size() > 1) {
          refs.reference[6] = 1, refs.ref_idx[6] = svc_slot(mode, picture - frame.back[1], s);
        }
        if (frame.uses_below) refs.reference[3] = 1, refs.ref_idx[3] = svc_slot(mode, picture, s - 1);
        refs.refresh[svc_slot(mode, picture, s)] = is_kept(mode, picture, s);
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

void encode_h264(const Mode& mode, int width, int height, int kbps, Clip& clip) {
  x264_param_t param;
  x264_param_default_preset(&param, "fast", "zerolatency");
  param.i_width = width, param.i_height = height;
  param.i_fps_num = kFps, param.i_fps_den = 1;
  param.i_keyint_max = X264_KEYINT_MAX_INFINITE, param.i_scenecut_threshold = 0;
  param.i_threads = 1, param.b_sliced_threads = 0;
  param.b_repeat_headers = 1, param.b_annexb = 1, param.b_aud = 0;
  param.i_frame_reference = 1;
  param.rc.i_rc_method = X264_RC_ABR, param.rc.i_bitrate = kbps;
  param.i_log_level = X264_LOG_ERROR;
  x264_param_apply_profile(&param, "baseline");
  x264_t* encoder = x264_encoder_open(&param);
  if (encoder == nullptr) fail("H264 does not begin");
  for (int picture = 0;; ++picture) {
    std::vector<uint8_t> pixels = read_picture(width, height);
    if (pixels.empty()) break;
    x264_picture_t in, out;
    x264_picture_init(&in);
    in.img.i_csp = X264_CSP_I420, in.img.i_plane = 3;
    const int area = width * height;
    in.img.plane[0] = pixels.data(), in.img.plane[1] = pixels.data() + area,
    in.img.plane[2] = pixels.data() + area * 5 / 4;
    in.img.i_stride[0] = width, in.img.i_stride[1] = in.img.i_stride[2] = width / 2;
    in.i_pts = picture;
    in.i_type = picture % kGroup == 0 ? X264_TYPE_IDR : X264_TYPE_P;
    x264_nal_t* units = nullptr;
    int count = 0;
    const int size = x264_encoder_encode(encoder, &units, &count, &in, &out);
    if (size <= 0) fail("H264");
    std::vector<uint8_t> bytes;
    for (int i = 0; i < count; ++i) {
      if (units[i].i_type == NAL_SEI) continue;  // the encoder's name and settings
      bytes.insert(bytes.end(), units[i].p_payload, units[i].p_payload + units[i].i_payload);
    }
    clip.add(plan(mode, picture), bytes);
  }
  x264_encoder_close(encoder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) fail("usage: encode MODE WIDTH HEIGHT KBPS OUT");
  const std::string name = argv[1];
  const size_t dash = name.find("-L");
  if (dash == std::string::npos || name.size() < dash + 5) fail("no such mode");
  Mode mode{name.substr(0, dash), name[dash + 2] - '0', name[dash + 4] - '0', name.ends_with("_KEY")};
  const int width = std::atoi(argv[2]), height = std::atoi(argv[3]), kbps = std::atoi(argv[4]);
  Clip clip(argv[5], mode, width, height);
  if (mode.codec == "vp8") encode_vp8(mode, width, height, static_cast<unsigned>(kbps), clip);
  if (mode.codec == "vp9") encode_vp9(mode, width, height, static_cast<unsigned>(kbps), clip);
  if (mode.codec == "av1") encode_av1(mode, width, height, static_cast<unsigned>(kbps), clip);
  if (mode.codec == "h264") encode_h264(mode, width, height, kbps, clip);
}
