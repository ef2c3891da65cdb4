package org.vmxsim.core.platform.apic;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/** What joins the local APICs and the I/O APIC of a machine: messages one way, ends of interrupts the other. */
public final class ApicBus {
    private final List<LocalApic> apics = new ArrayList<>();
    private IoApic ioApic;

    /** A bus with nothing on it. */
    public ApicBus() {}

    void add(LocalApic apic) {
        apics.add(apic);
    }

    void add(IoApic added) {
        ioApic = added;
    }

    /** How many local APICs there are. */
    int size() {
        return apics.size();
    }

    /** Sends a message to whom it names. */
    void send(InterruptMessage message) {
        deliver(message, apic -> apic.isNamedBy(message));
    }

    /** Sends a message to all, or to all but one. */
    void sendToAll(InterruptMessage message, LocalApic except) {
        deliver(message, apic -> apic != except);
    }

    private void deliver(InterruptMessage message, Predicate<LocalApic> named) {
        if (message.deliveryMode() != InterruptMessage.LOWEST_PRIORITY) {
            apics.stream().filter(named).forEach(apic -> apic.receive(message));
            return;
        }
        // of the lowest processor priority, and among equals the first
        apics.stream()
                .filter(apic -> apic.isSoftwareEnabled() && named.test(apic))
                .min(Comparator.comparingInt(LocalApic::processorPriority))
                .ifPresent(apic -> apic.receive(message));
    }

    /** A level-triggered interrupt has been ended. */
    void endOfInterrupt(int vector) {
        if (ioApic != null) {
            ioApic.endOfInterrupt(vector);
        }
    }
}
