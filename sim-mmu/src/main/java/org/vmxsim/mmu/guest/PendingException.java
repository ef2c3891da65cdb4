package org.vmxsim.mmu.guest;

/**
 * The exception that the next VM entry will inject.
 *
 * @param vector vector, 0 to 31
 * @param type event type as in VM-entry interruption information: 3 hardware exception, 5 privileged software
 *     exception, 6 software exception
 * @param hasErrorCode whether it pushes an error code
 * @param errorCode the error code; 0 if it pushes none
 * @param cr2 what CR2 holds: the linear address if it is a page fault
 */
public record PendingException(int vector, int type, boolean hasErrorCode, int errorCode, long cr2) {}
