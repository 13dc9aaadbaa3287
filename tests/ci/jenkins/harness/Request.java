import java.io.Serializable;
import java.util.Map;

/** One step that the program asks for: its name in the table and its parameters by name; a block opens or closes. */
final class Request implements Serializable {
    enum Kind { STEP, OPEN, CLOSE }

    private static final long serialVersionUID = 1L;
    final Kind kind;
    final String step;
    final Map<String, Object> given;

    Request(Kind kind, String step, Map<String, Object> given) {
        this.kind = kind;
        this.step = step;
        this.given = given;
    }

    Object text(String name) {
        return given.get(name) == null ? null : given.get(name).toString();
    }

    String need(String name) {
        return String.valueOf(given.get(name));
    }

    boolean yes(String name) {
        return Boolean.TRUE.equals(given.get(name));
    }
}
