/** What Jenkins throws into the program when somebody cancels the build (there: FlowInterruptedException). */
final class Aborted extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Aborted() {
        super("cancelled");
    }
}
