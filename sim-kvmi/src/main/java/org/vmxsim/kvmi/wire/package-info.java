/**
 * A tool at the other end of a socket. The tool listens, the machine connects, greets and from then on serves:
 * {@link org.vmxsim.kvmi.wire.SocketPeer}. A thread of its own only makes connections; the simulation takes whole
 * messages when it is ready for them, which makes them input that can be recorded and played back.
 *
 * <p>Reading order: {@link org.vmxsim.kvmi.wire.Peer} with {@link org.vmxsim.kvmi.wire.Inbound},
 * {@link org.vmxsim.kvmi.wire.Conversation}, {@link org.vmxsim.kvmi.wire.Handshake},
 * {@link org.vmxsim.kvmi.wire.SocketPeer} with {@code Connection}, {@link org.vmxsim.kvmi.wire.InputRecording} with
 * {@link org.vmxsim.kvmi.wire.ReplayedPeer}.
 *
 * <p>Not modelled: tools behind vsock; the hand-over of the socket from the device manager to the kernel, since both
 * are one here.
 */
package org.vmxsim.kvmi.wire;
