/**
 * Contents of EPT and SPPT as values: {@link org.vmxsim.testkit.table.EptPath} and
 * {@link org.vmxsim.testkit.table.SpptPath} are the entries on the way to one page,
 * {@link org.vmxsim.testkit.table.TableContents} is a machine's worth of them, and
 * {@link org.vmxsim.testkit.table.TableImage} lays them out in memory. Entries may be wrong in every way that the
 * manual knows. Five-level EPT is not among them.
 */
package org.vmxsim.testkit.table;
