/**
 * Guest paging as the processor uses it, and the port to the second level. Read in this order:
 * {@link org.vmxsim.core.paging.AccessContext} (the question), {@link org.vmxsim.core.paging.GuestPhysicalTranslator}
 * (who answers), {@link org.vmxsim.core.paging.LinearTranslation} (what a TLB entry is made of).
 */
package org.vmxsim.core.paging;
