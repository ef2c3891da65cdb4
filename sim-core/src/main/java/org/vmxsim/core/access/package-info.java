/**
 * The engines' ways to memory, behind the memory unit's fast path. Read
 * {@link org.vmxsim.core.access.TranslatingAccess} (what is common), then
 * {@link org.vmxsim.core.access.FunctionalAccess} or {@link org.vmxsim.core.access.CycleAccess}.
 */
package org.vmxsim.core.access;
