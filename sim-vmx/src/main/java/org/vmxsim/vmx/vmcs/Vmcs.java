package org.vmxsim.vmx.vmcs;

import java.util.Arrays;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * A virtual-machine control structure. While it is active its contents are here; VMCLEAR, and only VMCLEAR or the
 * VMPTRLD of another processor, writes them to the VMCS region in memory, in this layout (little-endian):
 *
 * <pre>
 * 0x000  4 bytes   bits 30:0 VMCS revision identifier, bit 31 shadow-VMCS indicator
 * 0x004  4 bytes   VMX-abort indicator
 * 0x008  4 bytes   launch state: 0 clear, 1 launched
 * 0x00c  4 bytes   zero
 * 0x800  256 * 8   the fields, each in 8 bytes, by {@link VmcsField#slot()}
 * </pre>
 *
 * <p>The manual leaves the layout to the processor (SDM "Format of the VMCS Region"): software that reads or writes the
 * region behind the processor's back gets what it deserves, but never harms the simulator.
 */
public final class Vmcs {
    /** Bytes of a VMCS region, aligned to as much. */
    public static final int REGION_BYTES = 4096;
    /** VMCS revision identifier of the layout above. */
    public static final int REVISION = 0x56_58_01;
    /** Bit of the first word of a region: shadow VMCS. */
    public static final int SHADOW_INDICATOR = 1 << 31;

    private static final int SLOTS = 256;
    private static final int LAUNCH_STATE = 8;
    private static final int FIELDS = 0x800;

    private final long[] values = new long[SLOTS];
    private final long hpa;
    private boolean launched;
    private long settingsChanges;

    /**
     * A VMCS that is about to become active; its fields are zero until {@link #load}.
     *
     * @param hpa address of its region
     * @throws IllegalArgumentException unless the address is aligned to 4 KiB
     */
    public Vmcs(long hpa) {
        if ((hpa & REGION_BYTES - 1) != 0) {
            throw new IllegalArgumentException("a VMCS region is aligned to 4 KiB, hpa=0x" + Long.toHexString(hpa));
        }
        this.hpa = hpa;
    }

    /**
     * Where its region is: the VMCS pointer.
     *
     * @return host-physical address
     */
    public long hpa() {
        return hpa;
    }

    /**
     * Reads a field.
     *
     * @param field the field
     * @return its value, zero-extended
     */
    public long get(VmcsField field) {
        return values[field.slot()];
    }

    /**
     * Writes a field, whatever VMWRITE would say to it.
     *
     * @param field the field
     * @param value the value; bits beyond the width of the field are dropped
     */
    public void set(VmcsField field, long value) {
        int slot = field.slot();
        long kept = value & field.width().mask();
        if (slot < ExitField.FIRST_SLOT || slot >= HostField.FIRST_SLOT) {
            settingsChanges += values[slot] == kept ? 0 : 1;
        }
        values[slot] = kept;
    }

    /**
     * How often a control or host-state field has changed its value: while the number is the same, what has been
     * concluded from these fields is still true.
     *
     * @return a number that only grows
     */
    public long settingsChanges() {
        return settingsChanges;
    }

    /**
     * Reads a field that fits into an {@code int}.
     *
     * @param field a 16-bit or 32-bit field
     * @return its low 32 bits
     */
    public int getInt(VmcsField field) {
        return (int) values[field.slot()];
    }

    /**
     * Launch state.
     *
     * @return true if "launched", false if "clear"
     */
    public boolean launched() {
        return launched;
    }

    /**
     * Changes the launch state.
     *
     * @param launched true for "launched"
     */
    public void launched(boolean launched) {
        this.launched = launched;
    }

    /** Sets all fields to zero and the launch state to clear. */
    public void reset() {
        Arrays.fill(values, 0);
        settingsChanges++;
        launched = false;
    }

    /**
     * Takes the contents from the region.
     *
     * @param memory physical memory
     */
    public void load(PhysicalMemory memory) {
        launched = memory.readInt(hpa + LAUNCH_STATE) != 0;
        for (VmcsField field : FieldCatalog.all()) {
            set(field, memory.readLong(hpa + FIELDS + 8L * field.slot()));
        }
    }

    /**
     * Writes the contents to the region, its first 8 bytes excepted.
     *
     * @param memory physical memory
     */
    public void store(PhysicalMemory memory) {
        memory.writeInt(hpa + LAUNCH_STATE, launched ? 1 : 0);
        for (int slot = 0; slot < SLOTS; slot++) {
            memory.writeLong(hpa + FIELDS + 8L * slot, values[slot]);
        }
    }
}
