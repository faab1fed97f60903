// H264 by libx264.
#include "encode.h"

#include <x264.h>

namespace clips {

void encode_h264(const Mode& mode, const Video& video, Clip& clip) {
  x264_param_t param;
  x264_param_default_preset(&param, "fast", "zerolatency");
  param.i_width = video.width, param.i_height = video.height;
  param.i_fps_num = kFps, param.i_fps_den = 1;
  param.i_keyint_max = X264_KEYINT_MAX_INFINITE, param.i_scenecut_threshold = 0;
  param.i_threads = 1, param.b_sliced_threads = 0;
  param.b_repeat_headers = 1, param.b_annexb = 1, param.b_aud = 0;
  param.i_frame_reference = 1;
  param.rc.i_rc_method = X264_RC_ABR, param.rc.i_bitrate = static_cast<int>(video.kbps);
  param.i_log_level = X264_LOG_ERROR;
  x264_param_apply_profile(&param, "baseline");
  x264_t* encoder = x264_encoder_open(&param);
  if (encoder == nullptr) fail("H264 does not begin");
  for (int picture = 0;; ++picture) {
    std::vector<uint8_t> pixels = read_picture(video);
    if (pixels.empty()) break;
    x264_picture_t in, out;
    x264_picture_init(&in);
    in.img.i_csp = X264_CSP_I420, in.img.i_plane = 3;
    const int area = video.width * video.height;
    in.img.plane[0] = pixels.data(), in.img.plane[1] = pixels.data() + area,
    in.img.plane[2] = pixels.data() + area * 5 / 4;
    in.img.i_stride[0] = video.width, in.img.i_stride[1] = in.img.i_stride[2] = video.width / 2;
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

}  // namespace clips
