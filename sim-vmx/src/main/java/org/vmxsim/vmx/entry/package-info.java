/**
 * The checks of VM entry, each a predicate with its title, in one fixed order: execution controls, exit and entry
 * controls (VMfail 7); host state (VMfail 8); guest registers, segments, activity, NMI, link pointer, PDPTEs (exit 33).
 * The manual leaves the order open among controls and host state, and within the guest state. Read
 * {@link org.vmxsim.vmx.entry.EntryRule}, then the groups. Controls that no modelled processor supports have no rules
 * of their own: the rules on reserved bits refuse them.
 */
package org.vmxsim.vmx.entry;
