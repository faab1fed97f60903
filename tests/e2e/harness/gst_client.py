"""GStreamer's webrtcbin as a WHIP publisher or a WHEP player, as OBS and hardware encoders do it: H264 and Opus, the
offer with all its candidates, no trickling, no data channel.

    gst_client.py publish|play ENDPOINT TOKEN

One JSON object a line on stdout: {"status": 201, "location": …}, {"state": "connected"}, and while playing
{"video": buffers so far, "audio": buffers so far} once a second. A line on stdin ends it, with DELETE."""
import json
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstSdp', '1.0')
gi.require_version('GstWebRTC', '1.0')
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

VIDEO = 'application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96,packetization-mode=(string)1'
AUDIO = 'application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111,encoding-params=(string)2'
PUBLISH = f'''
webrtcbin name=peer bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1
  ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=600 key-int-max=60
  ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency
  ! {VIDEO} ! peer.
audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay ! {AUDIO} ! peer.
'''


def say(**what):
    print(json.dumps(what), flush=True)


class Client:
    def __init__(self, mode, endpoint, token):
        self.mode, self.endpoint, self.token = mode, endpoint, token
        self.session = None
        self.buffers = {'video': 0, 'audio': 0}
        self.loop = GLib.MainLoop()
        if mode == 'publish':
            self.pipeline = Gst.parse_launch(PUBLISH)
            self.peer = self.pipeline.get_by_name('peer')
        else:
            self.pipeline = Gst.Pipeline()
            self.peer = Gst.ElementFactory.make('webrtcbin', 'peer')
            self.peer.set_property('bundle-policy', GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.peer)
        self.peer.connect('notify::connection-state', lambda *_: say(state=self.peer.props.connection_state.value_nick))
        if mode == 'play':
            self.peer.connect('pad-added', self.on_pad)
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            for caps in (VIDEO + ',profile-level-id=(string)42e01f', AUDIO):
                self.peer.emit('add-transceiver', direction, Gst.Caps.from_string(caps))
            GLib.timeout_add_seconds(1, lambda: say(**self.buffers) or True)

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        # Its senders have their codecs once the encoders have made something.
        GLib.timeout_add(500, self.offer)
        threading.Thread(target=self.wait_for_the_end, daemon=True).start()
        self.loop.run()
        if self.session:
            say(ended=self.call('DELETE', self.session)[0])
        self.pipeline.set_state(Gst.State.NULL)

    def wait_for_the_end(self):
        sys.stdin.readline()
        GLib.idle_add(self.loop.quit)

    def offer(self):
        self.peer.emit('create-offer', None, Gst.Promise.new_with_change_func(self.on_offer, None, None))
        return False

    def on_offer(self, promise, *_):
        promise.wait()
        reply = promise.get_reply()  # has to outlive what is in it
        offer = reply.get_value('offer')
        done = Gst.Promise.new()
        self.peer.emit('set-local-description', offer, done)
        done.interrupt()
        GLib.timeout_add(50, self.post_when_gathered)

    def post_when_gathered(self):
        if self.peer.props.ice_gathering_state != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return True
        self.post()
        return False

    def post(self):
        offer = self.peer.props.local_description.sdp.as_text()
        status, headers, body = self.call('POST', self.endpoint, offer, 'application/sdp')
        say(status=status, location=headers.get('Location'), offer=offer, answer=body)
        if status != 201:
            return
        self.session = urllib.parse.urljoin(self.endpoint, headers['Location'])
        _, message = GstSdp.SDPMessage.new_from_text(body)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        done = Gst.Promise.new()
        self.peer.emit('set-remote-description', answer, done)
        done.interrupt()

    def call(self, method, url, body=None, content_type=None):
        headers = {'Authorization': f'Bearer {self.token}'}
        if content_type:
            headers['Content-Type'] = content_type
        request = urllib.request.Request(url, body.encode() if body else None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def on_pad(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        kind = pad.get_current_caps().get_structure(0).get_string('media')
        # "fakesink" of decoded pictures and samples.
        decoder = 'rtph264depay ! h264parse ! avdec_h264' if kind == 'video' else 'rtpopusdepay ! opusdec'
        part = Gst.parse_bin_from_description(f'{decoder} ! fakesink name=sink sync=false signal-handoffs=true', True)
        part.get_by_name('sink').connect('handoff', lambda *_: self.count(kind))
        self.pipeline.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad('sink'))

    def count(self, kind):
        self.buffers[kind] += 1


Gst.init(None)
Client(*sys.argv[1:4]).run()
