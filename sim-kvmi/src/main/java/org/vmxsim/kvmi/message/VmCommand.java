package org.vmxsim.kvmi.message;

import java.util.List;

/** Commands on the virtual machine as a whole. Source: kvmi.rst, "Commands"; the branch kvmi-v7 for views. */
public sealed interface VmCommand extends Command {
    /** The version of the protocol and what the machine can do. Always allowed. */
    record GetVersion() implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_VERSION;
        }
    }

    /**
     * Whether a command is allowed.
     *
     * @param command the command in question
     */
    record CheckCommand(CommandKind command) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CHECK_COMMAND;
        }
    }

    /**
     * Whether an event is allowed.
     *
     * @param event the event in question
     */
    record CheckEvent(EventKind event) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CHECK_EVENT;
        }
    }

    /** How many vCPUs there are and, in the first format, how fast their TSC is. */
    record GetGuestInfo() implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_GUEST_INFO;
        }
    }

    /**
     * Switches an event of the VM.
     *
     * @param event the event
     * @param enable whether it is to be reported
     */
    record ControlVmEvents(EventKind event, boolean enable) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_VM_EVENTS;
        }
    }

    /**
     * Reads guest memory within one page.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes how many bytes, unsigned, as the tool gave it
     */
    record ReadPhysical(long gpa, long sizeBytes) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.READ_PHYSICAL;
        }
    }

    /**
     * Writes guest memory within one page.
     *
     * @param gpa guest-physical address of the first byte
     * @param bytes what to write
     */
    record WritePhysical(long gpa, byte[] bytes) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.WRITE_PHYSICAL;
        }
    }

    /**
     * The access rights of pages. First format only.
     *
     * @param vcpu the vCPU that does it, or {@link #ANY_VCPU}
     * @param view number of the EPT view
     * @param gpas an address in each page
     */
    record GetPageAccess(int vcpu, int view, long[] gpas) implements VmCommand {
        /**
         * Asked of no vCPU in particular.
         *
         * @param view number of the EPT view
         * @param gpas an address in each page
         */
        public GetPageAccess(int view, long... gpas) {
            this(ANY_VCPU, view, gpas);
        }

        @Override
        public CommandKind kind() {
            return CommandKind.GET_PAGE_ACCESS;
        }
    }

    /**
     * Sets the access rights of pages, in order.
     *
     * @param vcpu the vCPU that does it, or {@link #ANY_VCPU}
     * @param view number of the EPT view
     * @param pages the pages and their rights
     */
    record SetPageAccess(int vcpu, int view, List<PageAccess> pages) implements VmCommand {
        /** Makes the list its own. */
        public SetPageAccess {
            pages = List.copyOf(pages);
        }

        /**
         * Asked of no vCPU in particular.
         *
         * @param view number of the EPT view
         * @param pages the pages and their rights
         */
        public SetPageAccess(int view, List<PageAccess> pages) {
            this(ANY_VCPU, view, pages);
        }

        @Override
        public CommandKind kind() {
            return CommandKind.SET_PAGE_ACCESS;
        }
    }

    /**
     * Sets which sub-pages of pages can be written.
     *
     * @param view number of the EPT view
     * @param pages the pages and their bitmaps
     */
    record SetPageWriteBitmap(int view, List<PageBitmap> pages) implements VmCommand {
        /** Makes the list its own. */
        public SetPageWriteBitmap {
            pages = List.copyOf(pages);
        }

        @Override
        public CommandKind kind() {
            return CommandKind.SET_PAGE_WRITE_BITMAP;
        }
    }

    /** A token with which another guest may map a page of this one. */
    record GetMapToken() implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_MAP_TOKEN;
        }
    }

    /**
     * Switches sub-page protection.
     *
     * @param enable whether bitmaps may be set
     */
    record ControlSpp(boolean enable) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_SPP;
        }
    }

    /**
     * Switches the answers to later commands.
     *
     * @param enable whether commands are answered
     * @param now whether this holds for the answer to this command, too
     * @param reportErrors whether suppressed failures become {@link Event.CmdError}
     */
    record ControlCmdResponse(boolean enable, boolean now, boolean reportErrors) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CONTROL_CMD_RESPONSE;
        }
    }

    /** Where guest memory ends: the first guest frame number above all that can be written. */
    record GetMaxGfn() implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_MAX_GFN;
        }
    }

    /**
     * Sets whether EPT violations on a page become virtualization exceptions (suppress-#VE).
     *
     * @param view number of the EPT view
     * @param suppress true: violations exit; false: they may become #VE
     * @param gpa an address in the page
     */
    record SetPageSve(int view, boolean suppress, long gpa) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.SET_PAGE_SVE;
        }
    }

    /** A guest frame number that no memslot uses. */
    record GetNextAvailableGfn() implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.GET_NEXT_AVAILABLE_GFN;
        }
    }

    /**
     * The memslot around a page.
     *
     * @param gfn guest frame number of the page
     */
    record QueryPhysical(long gfn) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.QUERY_PHYSICAL;
        }
    }

    /** Makes an EPT view. */
    record CreateEptView() implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.CREATE_EPT_VIEW;
        }
    }

    /**
     * Removes an EPT view.
     *
     * @param view number of the EPT view
     */
    record DestroyEptView(int view) implements VmCommand {
        @Override
        public CommandKind kind() {
            return CommandKind.DESTROY_EPT_VIEW;
        }
    }

    /**
     * One page of {@link SetPageAccess}.
     *
     * @param gpa an address in the page
     * @param access bit 0 read, bit 1 write, bit 2 execute, as the tool gave it: 0 to 255
     */
    record PageAccess(long gpa, int access) {}

    /**
     * One page of {@link SetPageWriteBitmap}.
     *
     * @param gpa an address in the page
     * @param bitmap bit n set: the n-th 128 bytes can be written
     */
    record PageBitmap(long gpa, int bitmap) {}
}
