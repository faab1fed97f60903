# Says which STUN Binding requests come in on a device of this host: a line of JSON {at, address, port} for each, `at` in
# milliseconds since 1970. RFC 8489 5: the type, and the magic cookie. Started by harness/far_call.mjs.
#   python3 checks.py DEVICE
import json
import socket
import struct
import sys
import time

ETHERTYPE_IP = 0x0800
UDP = 17

tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETHERTYPE_IP))
tap.bind((sys.argv[1], ETHERTYPE_IP))
print('{}', flush=True)
while True:
    packet = tap.recv(2048)
    at = time.time() * 1000
    head = (packet[0] & 0x0F) * 4
    message = packet[head + 8:]
    if packet[9] == UDP and message[:2] == b'\x00\x01' and message[4:8] == b'\x21\x12\xa4\x42':
        port, = struct.unpack('!H', packet[head:head + 2])
        print(json.dumps({'at': at, 'address': socket.inet_ntoa(packet[12:16]), 'port': port}), flush=True)
