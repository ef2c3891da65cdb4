/**
 * The decoder: bytes to a {@link org.vmxsim.core.decode.DecodedInstruction}, by tables in the order and notation of the
 * manual's opcode maps (SDM Vol. 2D, "Opcode Map").
 *
 * <p>Read in this order: {@link org.vmxsim.core.decode.Op} (what can be decoded), {@code OneByteMap},
 * {@code TwoByteMap}, {@code ThreeByteMaps} (the tables, as text), {@code OperandSpec} and {@code Encoding} (one row),
 * {@link org.vmxsim.core.decode.Decoder} (prefixes, ModR/M, immediates).
 *
 * <p>Not modelled: x87 but FNOP and FWAIT, MMX, SSE, AVX, EVEX and XOP encodings, MPX and CET but as NOPs; these decode
 * to {@link org.vmxsim.core.decode.Op#UNDEFINED}.
 */
package org.vmxsim.core.decode;
