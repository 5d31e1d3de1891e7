/**
 * The WebSocket subprotocol that a client offers and an agent echoes. The number in it is the version of the wire:
 * ends that share no subprotocol never exchange a frame.
 */
export const subprotocol = "cluster-connect.v1";

/** The same version, inside HELLO. */
export const protocolVersion = 1;
