/**
 * Memory of one virtual machine mapped into another: tokens, and the host's side of hypercalls 32 and 33. Source: KVMI
 * series v4 (December 2017), {@code virt/kvm/kvmi_mem.c} and {@code hypercalls.txt}; series v6 (August 2019), where
 * {@code mm/remote_mapping.c} repairs most of its defects.
 *
 * <p>Read in this order: {@link org.vmxsim.kvmi.memory.MapTokenPolicy}, {@link org.vmxsim.kvmi.memory.MapTokens},
 * {@link org.vmxsim.kvmi.memory.RemoteMappings}, {@link org.vmxsim.kvmi.memory.MappingQuirk},
 * {@link org.vmxsim.kvmi.memory.MappingCall}; what happens to the pages is in {@link org.vmxsim.mmu.host.RemotePages}.
 *
 * <h2>Tokens</h2>
 *
 * A token is 32 bytes from a seeded source, for one virtual machine, good for one attempt: a map that fails for
 * whatever reason after the token was found has used it up. How many a virtual machine may have and how long they live
 * is {@link org.vmxsim.kvmi.memory.MapTokenPolicy}; v4 sets no bounds. A token that pins its virtual machine outlives
 * the process: a map with it finds the target dying (EINVAL). One that does not is gone (ENOENT).
 *
 * <h2>Map and unmap, by default</h2>
 *
 * <table>
 * <caption>Steps and errors</caption>
 * <tr><th>hypercall</th><th>step</th><th>error</th></tr>
 * <tr><td>32</td><td>token read at RBX with the caller's page tables, as a supervisor</td>
 * <td>ENOENT: no translation; EFAULT: no memory</td></tr>
 * <tr><td></td><td>token found, and used up</td><td>ENOENT</td></tr>
 * <tr><td></td><td>RCX is in a memslot of the target that may be written</td><td>EFAULT</td></tr>
 * <tr><td></td><td>RDX is in one of the caller</td><td>EFAULT</td></tr>
 * <tr><td></td><td>locks, in one order for all</td><td></td></tr>
 * <tr><td></td><td>target alive; both addresses as before</td><td>EINVAL; EFAULT</td></tr>
 * <tr><td></td><td>memory for the note</td><td>ENOMEM</td></tr>
 * <tr><td></td><td>target's page is mapped and may be written; anonymous, small; not shown yet; gets a frame of its
 * own</td><td>ENOENT; EINVAL; EALREADY; ENOMEM</td></tr>
 * <tr><td></td><td>caller's page is mapped; anonymous, small and another one; neither shows nor is shown</td>
 * <td>ENOENT; EINVAL; EALREADY</td></tr>
 * <tr><td></td><td>the caller's host page table gets the target's frame, EPT entries are dropped</td><td></td></tr>
 * <tr><td>33</td><td>mapping of this virtual machine at the page of RBX</td><td>ENOENT; EALREADY: it is being
 * ended</td></tr>
 * <tr><td></td><td>locks; the caller's own page is back, with what it held</td><td></td></tr>
 * </table>
 *
 * <h2>What becomes of a mapping, by default</h2>
 *
 * <table>
 * <caption>Events</caption>
 * <tr><th>event</th><th>target's page</th><th>caller's page</th></tr>
 * <tr><td>swapping, merging (KSM), huge pages</td><td>does not happen</td><td>does not happen</td></tr>
 * <tr><td>migration</td><td colspan="2">moves for both</td></tr>
 * <tr><td>fork (copy on write)</td><td colspan="2">the child gets a copy at once</td></tr>
 * <tr><td>munmap, MADV_DONTNEED</td><td>stale</td><td>ends: it concerns the own page</td></tr>
 * <tr><td>mremap, memslot deleted, moved or resized</td><td>stale</td><td>ends</td></tr>
 * <tr><td>end of the process</td><td>stale</td><td>ends</td></tr>
 * <tr><td>end of introspection</td><td>stays</td><td>stays</td></tr>
 * </table>
 *
 * A stale mapping keeps what the page held at that moment, as in v6, and stores are seen by nobody else; UNMAP ends it
 * with 0. Only if no frame is free for the copy that mremap, a memslot or {@code vmDestroyed} asks for it ends at once.
 * A mapping that has ended by itself is unknown to UNMAP (ENOENT). v6 gives a page of zeros at the end, v4 one of
 * unsaid contents; here the guest finds its own page.
 *
 * <h2>Locks</h2>
 *
 * The address space of each process has a lock, which a call takes as a step of its own. By default all calls take them
 * in one order, and one that concerns a single address space takes one. With
 * {@link org.vmxsim.kvmi.memory.MappingQuirk#TARGET_LOCKED_FIRST} a schedule of two calls can end in a
 * {@link org.vmxsim.kvmi.memory.Deadlock}, and a virtual machine that maps a page of its own always does: the hypercall
 * never returns, {@code Vcpu.run} gives {@code VcpuExit.Oops} with the function and who waits for whom, and the locks
 * stay taken. The simulator goes on.
 *
 * <p>Not modelled: the split of the caller's VMA and the anon_vma links of v4, and their running out of memory; the
 * reference that v4's UNMAP drops too often on its error paths (a frame is freed when nobody sees it any more); stale
 * contents of the fresh page (free frames are zero here). Stores by the caller to the target's page are not in the
 * target's dirty log and not asked about by its views, page tracking and sub-page permissions, as in both series.
 */
package org.vmxsim.kvmi.memory;
