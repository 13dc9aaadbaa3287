import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** `@Library('name@version') _`: read from the text before the program is compiled. */
@Retention(RetentionPolicy.SOURCE)
public @interface Library {
    String[] value();
}
