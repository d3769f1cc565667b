/** Whether this browser supports WebRTC and websockets. */
export const IS_SUPPORTED = typeof RTCPeerConnection === 'function' && typeof WebSocket === 'function';
