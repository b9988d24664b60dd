int ctorch_placeholder;
