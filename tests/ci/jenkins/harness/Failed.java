/** A step that failed with words for the console (there: AbortException). */
final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Failed(String words) {
        super(words);
    }
}
