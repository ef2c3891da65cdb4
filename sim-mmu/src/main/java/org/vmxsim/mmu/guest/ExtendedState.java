package org.vmxsim.mmu.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;

/**
 * The x87, SSE and AVX state of one vCPU, as KVM_GET_XSAVE and KVM_SET_XSAVE have it: the region that XSAVE stores, in
 * standard form (SDM "XSAVE Area"). It is apart from what x87 instructions use, which is among the registers of
 * {@link GuestRegisters}, so that it stays what reset or the last set made it.
 */
public final class ExtendedState {
    /** Size of the region, {@code struct kvm_xsave}. */
    public static final int SIZE_BYTES = 4096;

    private static final int FCW = 0;
    private static final int MXCSR = 24;
    private static final int MXCSR_MASK = 28;
    private static final int XSTATE_BV = 512;
    /** SDM table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT": FNINIT and MXCSR. */
    private static final short RESET_FCW = 0x37f;

    private static final int RESET_MXCSR = 0x1f80;
    /** The bits of MXCSR that processors with denormals-are-zeros have. */
    private static final int MXCSR_BITS = 0xffff;
    /** x87 and SSE state, which the legacy area has whether or not there is XSAVE. */
    private static final long LEGACY = 3;

    private static final long U32 = 0xffff_ffffL;

    private final long components;
    private byte[] region = new byte[SIZE_BYTES];

    /**
     * The state after reset.
     *
     * @param model what the processor can enable in XCR0
     */
    ExtendedState(CpuModel model) {
        long low = model.cpuid(0xd, 0, 0) & U32;
        this.components = LEGACY | low | (long) model.cpuid(0xd, 0, 3) << 32;
        words().putShort(FCW, RESET_FCW)
                .putInt(MXCSR, RESET_MXCSR)
                .putInt(MXCSR_MASK, MXCSR_BITS)
                .putLong(XSTATE_BV, LEGACY);
    }

    private ByteBuffer words() {
        return ByteBuffer.wrap(region).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Copies the region.
     *
     * @return {@value #SIZE_BYTES} bytes: 512 of the legacy area, 64 of the header, the components behind
     */
    public byte[] get() {
        return region.clone();
    }

    /**
     * Replaces the region.
     *
     * @param bytes its beginning; the rest becomes zero
     * @return 0; EINVAL for more than {@value #SIZE_BYTES} bytes, a component in XSTATE_BV that the processor does not
     *     have, or a reserved bit of MXCSR
     */
    public KvmResult set(byte... bytes) {
        if (bytes.length > SIZE_BYTES) {
            return KvmResult.failed(Errno.EINVAL);
        }
        byte[] before = region;
        region = new byte[SIZE_BYTES];
        System.arraycopy(bytes, 0, region, 0, bytes.length);
        boolean valid = (words().getLong(XSTATE_BV) & ~components) == 0 && (words().getInt(MXCSR) & ~MXCSR_BITS) == 0;
        if (!valid) {
            region = before;
            return KvmResult.failed(Errno.EINVAL);
        }
        words().putInt(MXCSR_MASK, MXCSR_BITS);
        return KvmResult.OK;
    }
}
