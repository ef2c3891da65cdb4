package org.vmxsim.core.platform.apic;

/** The local sources of interrupts: pins LINT0 and LINT1, and what else the local vector table describes. */
final class LocalSources {
    private final LocalApic apic;
    private final boolean[] pins = new boolean[2];

    LocalSources(LocalApic apic) {
        this.apic = apic;
    }

    /** A source of the local vector table fires. */
    void fire(int entry) {
        if (apic.table.isMasked(entry)) {
            return;
        }
        int deliveryMode = entry == LocalVectorTable.TIMER || entry == LocalVectorTable.ERROR
                ? InterruptMessage.FIXED
                : apic.table.deliveryMode(entry);
        if (deliveryMode == InterruptMessage.FIXED) {
            apic.accept(apic.table.vector(entry), false);
        } else {
            apic.special(deliveryMode, 0);
        }
    }

    /** A pin changes. */
    void input(int entry, boolean level) {
        int pin = entry - LocalVectorTable.LINT0;
        boolean rises = level && !pins[pin];
        pins[pin] = level;
        if (apic.table.isLevel(entry)) {
            serveLevel(entry);
        } else if (rises && apic.table.deliveryMode(entry) != InterruptMessage.EXTERNAL) {
            fire(entry);
        }
    }

    void serveLevel(int entry) {
        boolean asserted = pins[entry - LocalVectorTable.LINT0];
        if (asserted && apic.table.isLevel(entry) && !apic.table.isMasked(entry) && !apic.table.remoteIrr(entry)) {
            apic.table.remoteIrr(entry, true);
            apic.accept(apic.table.vector(entry), true);
        }
    }
}
