package org.vmxsim.core.platform.apic;

/**
 * An interrupt on its way to local APICs. SDM "Interrupt Command Register (ICR)", "Message Data Register Format".
 *
 * @param destination APIC ID, or message destination address in logical mode
 * @param logical whether the destination is logical
 * @param extended whether the destination has 32 bits (x2APIC) instead of 8
 * @param deliveryMode {@link #FIXED} and following
 * @param vector 0 to 255
 * @param level whether the trigger mode is level
 */
record InterruptMessage(
        int destination, boolean logical, boolean extended, int deliveryMode, int vector, boolean level) {
    /** Delivery mode: the vector to all processors named. */
    static final int FIXED = 0;
    /** Delivery mode: the vector to the processor of lowest priority among those named. */
    static final int LOWEST_PRIORITY = 1;
    /** Delivery mode: system-management interrupt. */
    static final int SMI = 2;
    /** Delivery mode: NMI; the vector is ignored. */
    static final int NMI = 4;
    /** Delivery mode: INIT. */
    static final int INIT = 5;
    /** Delivery mode: start-up; the vector is the page of the first instruction. */
    static final int START_UP = 6;
    /** Delivery mode: the vector comes from an 8259. */
    static final int EXTERNAL = 7;

    /** Whether all processors are named. */
    boolean isBroadcast() {
        return destination == (extended ? -1 : 0xff);
    }
}
