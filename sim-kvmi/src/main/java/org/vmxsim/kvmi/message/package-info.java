/**
 * What an introspection tool and the machine say to each other, without bytes: commands and their answers, events and
 * their replies. Both wire formats (and the calls in process) carry these records.
 *
 * <p>Reading order: {@link org.vmxsim.kvmi.message.Command} with its two halves,
 * {@link org.vmxsim.kvmi.message.Answer}, {@link org.vmxsim.kvmi.message.Event},
 * {@link org.vmxsim.kvmi.message.EventReply}. The names are those of the protocol as described by "KVMI - The kernel
 * virtual machine introspection subsystem" (the file kvmi.rst of the patch series) and of the branch kvmi-v7 of its
 * authors.
 *
 * <p>Arrays in these records are handed over, not copied: who made the record does not change them afterwards. Records
 * with arrays are equal only to themselves.
 *
 * <p>Not modelled: the protocol of the mailing-list versions 7 to 12, which no tool speaks; AMD's form of the
 * descriptor event.
 */
package org.vmxsim.kvmi.message;
